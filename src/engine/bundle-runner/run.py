# Runs the model once on a golden input and prints what it answers. A start for a program of your own.
#
#   pip install -r requirements.txt && python samples/run.py
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort

bundle = Path(__file__).resolve().parent.parent
manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))

options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = ort.InferenceSession(str(bundle / manifest["model"]["file"]), options, providers=["CPUExecutionProvider"])

golden = manifest["golden"][0]
feeds = {name: np.load(bundle / path) for name, path in golden["inputs"].items()}
names = [output["name"] for output in manifest["outputs"]]
for name, given in zip(names, session.run(names, feeds)):
    expected = np.load(bundle / golden["outputs"][name])
    largest = max(np.abs(expected).max(), 1e-30) if expected.size else 1.0
    print(f"{name} {given.dtype}{list(given.shape)}: off by {np.abs(given - expected).max() / largest:.1e} of the largest")
    classes = manifest.get("classes")
    for index in np.argsort(given.reshape(-1))[::-1][:5]:
        print(f"  {classes[index] if classes else index}: {given.reshape(-1)[index]}")
