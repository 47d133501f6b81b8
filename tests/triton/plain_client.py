#!/usr/bin/env python3
"""Denoises with Triton's own Python client and numpy alone: any client can use an exported model.

    bin/harmonica generate --triton HOST:PORT --model M --router R --classes 1,2 --guidance 4 --steps-per-request 1 \\
        --save-latents ours.safetensors --out /tmp/p --latents start.safetensors
    tests/triton/client.sh plain_client.py HOST:PORT M R 1,2 4 start.safetensors ours.safetensors

Follows the program of router R, or of `none`, in the parameter `harmonica` of the model's configuration (docs/ARCHITECTURE.md, "The
repository"), for samplers whose steps are numbers. Exits with 1 where a value is further than 1e-5 from `ours`.
"""
import json
import sys

import numpy as np
import tritonclient.grpc as triton


def main(url, model, router, classes, guidance, start, expected):
    client = triton.InferenceServerClient(url)
    config = client.get_model_config(model, as_json=True)["config"]
    manifest = json.loads(config["parameters"]["harmonica"]["string_value"])
    program, branches = manifest["programs"][router]["1"], manifest["branches"]
    columns = branches + program.get("runs", [])

    x = latents(start).copy()
    labels = [int(label) for label in classes.split(",")]
    if guidance > 1 and not manifest.get("nullClass", True):
        sys.exit(f"model {model} has no null class, so guidance must be 1")
    null = [manifest["classes"]] * len(labels) if guidance > 1 else []
    rows = np.array(labels + null, np.int64).reshape(-1, 1)
    state, start = np.zeros_like(x), np.zeros_like(x)  # picture and sample that an earlier step left
    types = {port["name"]: port["data_type"] for port in config["input"]}
    time = np.float32 if types["timestep"] == "TYPE_FP32" else np.int64
    cache = {}  # (column, step): output, last step that reads it
    for step, kind in enumerate(program["order"]):
        call = program["calls"][kind]
        inputs = {
            "sample": np.resize(x, (len(rows), *x.shape[1:])),
            "timestep": np.full(rows.shape, program["timesteps"][step], time),
            "class_label": rows,
        }
        for ago, ports in call.get("reads", {}).items():
            for column, age in (divmod(port, 3) for port in ports):
                inputs[f"{columns[column]}.{age + 1}"] = cache[column, step - int(ago)][0]
        if "weights" in call:
            inputs.update(weights(call["weights"]["0"], len(rows), branches, columns))
        outputs = infer(client, call["model"], inputs)
        for further, kept in call.get("keeps", {}).items():
            cache.update({(column, step): (outputs[columns[column]], step + int(further)) for column in kept})
        cache = {key: kept for key, kept in cache.items() if kept[1] > step}
        prediction = guided(outputs["noise_prediction"][:, : x.shape[1]], len(labels), guidance, manifest["guidanceChannels"])
        n = np.array(program["numbers"][step], np.float32)
        picture = (n[0] * x + n[1] * prediction) / n[2]
        sample, x = x, n[3] * x + (n[4] * picture + n[5] * prediction) + n[6] * (picture - state)
        if len(n) > 7:  # of an update with several evaluations
            x = x + (n[7] * start + n[8] * state)
        if len(n) == 7 or n[9] == 0:  # else it goes on from where it began
            state, start = picture, sample
    reference = latents(expected)
    difference = np.max(np.abs(x - reference) / np.maximum(1, np.abs(reference)))
    print(f"{model}, router {router}: largest difference {difference:.2e}")
    return 0 if difference <= 1e-5 else 1


def infer(client, model, inputs):
    sent = []
    for name, value in inputs.items():
        one = triton.InferInput(name, value.shape, "INT64" if value.dtype == np.int64 else "FP32")
        one.set_data_from_numpy(np.ascontiguousarray(value))
        sent.append(one)
    answer = client.infer(model, sent)
    return {output.name: answer.as_numpy(output.name) for output in answer.get_response().outputs}


def guided(prediction, pictures, scale, channels):
    """Classifier-free guidance: rows with the class first, then those without."""
    conditional, unconditional = prediction[:pictures].copy(), prediction[pictures:]
    if len(unconditional):
        away = (conditional - unconditional)[:, :channels]
        conditional[:, :channels] = unconditional[:, :channels] + np.float32(scale) * away
    return conditional


def weights(groups, rows, branches, columns):
    """Those of branches together, each run's by themselves."""
    inputs = {}
    for newest_first, which in groups:
        for column in which:
            of_run = column >= len(branches)
            name, places = (f"{columns[column]}.weights", 1) if of_run else ("reuse_weights", len(branches))
            values = inputs.setdefault(name, np.zeros((rows, places, 3), np.float32))
            values[:, 0 if of_run else column, : len(newest_first)] = newest_first
    return inputs


def latents(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    tensor = json.loads(data[8 : 8 + size])["latents"]
    begin, end = tensor["data_offsets"]
    return np.frombuffer(data[8 + size :][begin:end], "<f4").reshape(tensor["shape"])


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:5], float(sys.argv[5]), *sys.argv[6:]))
