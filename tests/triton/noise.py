"""Writes noise as the lines of docs/FLEET.md make it: noise.py SEED FILE SIZE...

FILE becomes fp32 numbers. tests/triton/client.sh runs it.
"""
import sys
from pathlib import Path

import numpy as np

text = (Path(__file__).parents[2] / "docs/FLEET.md").read_text()
exec(text.split("```python\n")[1].split("```")[0])
seed, file, *shape = sys.argv[1:]
noise(int(seed), *map(int, shape)).tofile(file)
