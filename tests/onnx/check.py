"""What package onnx's loader and checker say of every engine below a folder."""

import pathlib
import sys

import onnx

files = sorted(pathlib.Path(sys.argv[1]).rglob("model.onnx"))
failed = 0
for file in files:
    for name, check in (("onnx.load", onnx.load), ("onnx.checker", onnx.checker.check_model)):
        try:
            check(str(file))
        except Exception as fault:  # whatever it is, it is told
            failed += 1
            print(file.parent.parent.name, name, str(fault).splitlines()[0])
print(len(files), "engines,", failed, "faults")
sys.exit(1 if failed else 0)
