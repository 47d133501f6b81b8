#!/usr/bin/env python3
"""Denoises with Triton's own Python client and numpy alone: any client can use an exported model.

    bin/harmonica generate --triton HOST:PORT --model M --router R --classes 1,2 --guidance 4 \
        --save-latents ours.safetensors --out /tmp/p --latents start.safetensors
    tests/triton/client.sh HOST:PORT M R 1,2 4 start.safetensors ours.safetensors

For routers with plain reuse. Knows the model from the parameter `harmonica` of its configuration (steps: the router's, or 20), steps with DDIM
as diffusers does, and exits with 1 where a value is further than 1e-5 from `ours`.
"""
import json
import sys

import numpy as np
import tritonclient.grpc as triton


def latents(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    tensor = json.loads(data[8 : 8 + size])["latents"]
    begin, end = tensor["data_offsets"]
    return np.frombuffer(data[8 + size :][begin:end], "<f4").reshape(tensor["shape"])


def main(url, model, router, classes, guidance, start, expected):
    client = triton.InferenceServerClient(url)
    config = client.get_model_config(model, as_json=True)["config"]
    manifest = json.loads(config["parameters"]["harmonica"]["string_value"])
    table = manifest["routers"].get(router)
    steps = table["steps"] if table else 20
    stride = manifest["noise"]["trainTimesteps"] // steps
    timesteps = [i * stride for i in reversed(range(steps))]
    assert manifest["spacing"] == "leading" and "samplerSpacing" not in manifest and (not table or table["timesteps"] == timesteps)
    beta = betas(**manifest["noise"])
    alpha_bar = np.cumprod(np.float32(1) - beta.astype(np.float32), dtype=np.float32)

    x = latents(start).copy()
    labels = [int(label) for label in classes.split(",")]
    label = np.array(labels + [manifest["classes"]] * len(labels), np.int64).reshape(-1, 1)
    cache = {}  # branch: its computed outputs, newest first
    routes = []  # as the export numbers them
    for s, t in enumerate(timesteps):
        name, reads = model, []
        if table:
            computes = [score > table["threshold"] for score in table["scores"][s]]
            name, reads = route(model, router, table, s, computes, routes)
        inputs = {
            "sample": np.concatenate([x, x]),
            "timestep": np.full_like(label, t),
            "class_label": label,
            **{f"{branch}.1": cache[branch] for branch in reads},
        }
        sent = []
        for key, value in inputs.items():
            kind = "INT64" if value.dtype == np.int64 else "FP32"
            one = triton.InferInput(key, value.shape, kind)
            one.set_data_from_numpy(np.ascontiguousarray(value))
            sent.append(one)
        answer = client.infer(name, sent)
        for output in answer.get_response().outputs:
            if output.name != "noise_prediction":
                cache[output.name] = answer.as_numpy(output.name)
        prediction = answer.as_numpy("noise_prediction")[:, : x.shape[1]]
        conditional, unconditional = np.split(prediction, 2)
        output = conditional.copy()
        n = manifest["guidanceChannels"]
        output[:, :n] = unconditional[:, :n] + np.float32(guidance) * (conditional - unconditional)[:, :n]
        signal = alpha_bar[t]
        following = alpha_bar[t - stride] if t >= stride else np.float32(1)
        one = np.float32(1)  # 1 - signal is float64 in numpy 1
        clean, epsilon = meant(manifest["noise"].get("predicts", "epsilon"), np.sqrt(signal), np.sqrt(one - signal), x, output)
        x = np.sqrt(following) * clean + np.sqrt(one - following) * epsilon
    reference = latents(expected)
    difference = np.max(np.abs(x - reference) / np.maximum(1, np.abs(reference)))
    print(f"{model}, router {router}: largest difference {difference:.2e}")
    return 0 if difference <= 1e-5 else 1


def betas(trainTimesteps, betaStart, betaEnd, betas="linear", predicts=None):
    """How much noise each timestep of the training adds."""
    if betas == "squaredcos_cap_v2":
        signal = np.cos((np.arange(trainTimesteps + 1) / trainTimesteps + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.minimum(1 - signal[1:] / signal[:-1], 0.999)
    power = {"linear": 1, "scaled_linear": 2}[betas]
    return np.linspace(betaStart ** (1 / power), betaEnd ** (1 / power), trainTimesteps) ** power


def meant(predicts, signal, noise, x, output):
    """The picture and the noise that the model's output means."""
    if predicts == "sample":
        return output, (x - signal * output) / noise
    if predicts == "v_prediction":
        return signal * x - noise * output, signal * output + noise * x
    assert predicts == "epsilon"
    return (x - noise * output) / signal, output


def route(model, router, table, s, computes, routes):
    """The ensemble of a step and the branches it reuses; equal routes share one, in order of first use."""
    following = table["scores"][s + 1] if s + 1 < table["steps"] else None
    stored = [c and following is not None and following[b] <= table["threshold"] for b, c in enumerate(computes)]
    key = (tuple(computes), tuple(stored))
    if key not in routes:
        routes.append(key)
    reads = [branch for branch, c in zip(table["branches"], computes) if not c]
    return f"{model}-{router}-route{routes.index(key):02d}", reads


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:5], float(sys.argv[5]), *sys.argv[6:]))
