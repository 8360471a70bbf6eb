#!/usr/bin/env python3
"""What auto_LiRPA says and how long it takes for the networks that `EspalierBenchmarks certificates` bounds, on one thread.

    auto_lirpa.py installed
    auto_lirpa.py ARCHITECTURE FOLDER RADIUS METHOD BATCH

FOLDER has model.onnx, whose weights are taken, images.bin (float32, 1x28x28 each, from 0 to 1) and classes.bin (int32). Prints one
JSON object: seconds, and the smallest margin of each image. Changes are kept within 0 and 1, as Espalier does.

Version 0.3, the newest on PyPI, needs PyTorch below 2: give the interpreter that has both in ESPALIER_LIRPA_PYTHON.
"""

import json
import os
import sys
import time
import warnings

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
warnings.simplefilter("ignore")
sys.path.insert(0, os.path.dirname(__file__))


def installed():
    try:
        import auto_LiRPA
        import torch

        return {"auto_lirpa": auto_LiRPA.__version__, "torch": torch.__version__}
    except Exception:  # Whatever a version that does not fit runs into.
        return {}


def main():
    if sys.argv[1] == "installed":
        return installed()
    architecture, folder, radius, method, batch = sys.argv[1:]
    import numpy
    import onnx
    import torch
    from auto_LiRPA import BoundedModule, BoundedTensor
    from auto_LiRPA.perturbations import PerturbationLpNorm
    from peers import network

    torch.set_num_threads(1)
    model = network(architecture).eval()
    weights = [onnx.numpy_helper.to_array(t) for t in onnx.load(f"{folder}/model.onnx").graph.initializer]
    weights = [w for w in weights if w.dtype == numpy.float32]
    for parameter, weight in zip(model.parameters(), weights):
        assert tuple(parameter.shape) == weight.shape
        parameter.data = torch.tensor(weight.copy())
    images = torch.tensor(numpy.fromfile(f"{folder}/images.bin", dtype=numpy.float32).reshape(-1, 1, 28, 28))
    classes = torch.tensor(numpy.fromfile(f"{folder}/classes.bin", dtype=numpy.int32).astype("int64"))
    radius, batch = float(radius), int(batch)
    # Rows of the right class minus each other.
    others = torch.tensor([[j for j in range(10) if j != int(c)] for c in classes])
    rows = torch.eye(10)[classes].unsqueeze(1) - torch.eye(10)[others]
    # Slopes of unstable neurons alone, its default, end in an error about shapes where neurons of a layer are unstable in most images.
    bounded = BoundedModule(
        model, torch.zeros(batch, 1, 28, 28), bound_opts={"conv_mode": "patches", "sparse_features_alpha": False})
    margins = []
    start = time.perf_counter()
    for first in range(0, len(images), batch):
        chosen = images[first:first + batch]
        perturbation = PerturbationLpNorm(
            norm=float("inf"), eps=radius, x_L=(chosen - radius).clamp(min=0), x_U=(chosen + radius).clamp(max=1))
        with torch.set_grad_enabled("Optimized" in method):
            lower, _ = bounded.compute_bounds(
                x=(BoundedTensor(chosen, perturbation),), C=rows[first:first + batch], method=method,
                bound_upper=False)
        margins += lower.detach().min(1).values.tolist()
    return {"seconds": time.perf_counter() - start, "margins": margins}


if __name__ == "__main__":
    # What is told on standard output besides is not ours.
    output, sys.stdout = sys.stdout, sys.stderr
    json.dump(main(), output)
