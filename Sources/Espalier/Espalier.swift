// The umbrella: `import Espalier` gives a user everything that is supported, and the command line uses nothing else
// that is public.

@_exported public import EspalierExecution
@_exported public import EspalierGraphs
@_exported public import EspalierONNX
@_exported public import EspalierReports
@_exported public import EspalierRuns
@_exported public import EspalierTensors
@_exported public import EspalierTraining
