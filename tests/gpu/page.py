"""Makes one page of what run.sh found: python page.py FOLDER STEPS > page.md

Reads steps.tsv (step, seconds, exit code, its log's last line), facts.txt, compare-*.json and pytorch.json.
"""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
steps_made = int(sys.argv[2])


def number(value, digits=2):
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) else str(value if value is not None else "-")


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    print()


def variants(name):
    file = folder / f"{name}.json"
    return json.loads(file.read_text())["variants"] if file.exists() else []


def psnr(variant):
    # compare writes null where pictures are the same: their ratio is infinite.
    return "same" if variant.get("psnr", 0) is None else number(variant.get("psnr"), 1)


print("# GPU check\n")
print("```\n" + (folder / "facts.txt").read_text().rstrip() + "\n```\n")

print("## Steps\n")
steps = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
table(["step", "seconds", "exit code", "said last"], steps)

print("## Parity: pictures against fp32 in this process\n")
table(
    ["model on the server", "PSNR dB", "SSIM", "fault"],
    [
        [f"{v['name']}, {v['settings'].get('router', 'none')}", psnr(v), number(v.get("ssim"), 4), v.get("fault", "")]
        for file in sorted(folder.glob("compare-parity-*.json"))
        for v in variants(file.stem)[1:]
    ],
)

torch = json.loads((folder / "pytorch.json").read_text()) if (folder / "pytorch.json").exists() else None
print("## Speed: one step of the benchmark's model\n")
rows = []
uncached = {}
for file in sorted(folder.glob("compare-speed-*.json")):
    found = variants(file.stem)
    model = file.stem.removeprefix("compare-speed-")
    for v in found:
        p50 = v.get("latencyMillis", {}).get("p50")
        step = p50 / steps_made if p50 is not None else None
        speedup = v.get("speedup", {})
        if v is found[0]:
            uncached[model] = step
        rows.append(
            [
                model,
                v["name"],
                number(step),
                number(v.get("theoreticalSpeedup")),
                f"{number(speedup.get('value'))} ({number(speedup.get('low'))} .. {number(speedup.get('high'))})",
                psnr(v),
                v.get("fault", ""),
            ]
        )
table(["model on the server", "variant", "ms a step", "theoretical", "speedup (95 %)", "PSNR dB to uncached", "fault"], rows)

if torch:
    print(f"## PyTorch {torch['pytorch']}, batch {torch['batch']}, medians of {torch['rounds']} rounds\n")
    models = [model for model, step in uncached.items() if step is not None]
    table(
        ["pass", "ms", *(f"uncached step of {model} / it" for model in models)],
        [
            [how, number(ms), *(number(uncached[m] / ms) if isinstance(ms, float) else "-" for m in models)]
            for how, ms in torch["millis"].items()
        ],
    )
