import Foundation

/// Parts of a model that are carried along as bytes must be complete in themselves, as the model may be written to
/// another folder: tensors in them that lie in external files are read in.
extension ExternalDataReader {
    func inline(_ tensor: inout TensorProto) throws(ONNXError) {
        guard tensor.dataLocation == .external else { return }
        let entries = tensor.externalData
        tensor.rawData = Data(
            try locating("tensor '\(tensor.name)'") { () throws(ONNXError) in try bytes(entries) })
        tensor.externalData = []
        tensor.clearDataLocation()
    }

    func inline(_ tensor: inout SparseTensorProto) throws(ONNXError) {
        if tensor.hasValues { try inline(&tensor.values) }
        if tensor.hasIndices { try inline(&tensor.indices) }
    }

    func inline(_ attribute: inout AttributeProto) throws(ONNXError) {
        if attribute.hasT { try inline(&attribute.t) }
        if attribute.hasG { try inline(&attribute.g) }
        if attribute.hasSparseTensor { try inline(&attribute.sparseTensor) }
        for position in attribute.tensors.indices { try inline(&attribute.tensors[position]) }
        for position in attribute.graphs.indices { try inline(&attribute.graphs[position]) }
        for position in attribute.sparseTensors.indices { try inline(&attribute.sparseTensors[position]) }
    }

    func inline(_ nodes: inout [NodeProto]) throws(ONNXError) {
        for node in nodes.indices {
            for position in nodes[node].attribute.indices { try inline(&nodes[node].attribute[position]) }
        }
    }

    func inline(_ graph: inout GraphProto) throws(ONNXError) {
        try inline(&graph.node)
        for position in graph.initializer.indices { try inline(&graph.initializer[position]) }
        for position in graph.sparseInitializer.indices { try inline(&graph.sparseInitializer[position]) }
    }

    /// The functions and training graphs of a model.
    func inlineCarriedParts(of model: inout ModelProto) throws(ONNXError) {
        for position in model.functions.indices { try inline(&model.functions[position].node) }
        for position in model.trainingInfo.indices {
            if model.trainingInfo[position].hasInitialization {
                try inline(&model.trainingInfo[position].initialization)
            }
            if model.trainingInfo[position].hasAlgorithm {
                try inline(&model.trainingInfo[position].algorithm)
            }
        }
    }
}
