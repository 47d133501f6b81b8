#!/usr/bin/env python3
"""Writes unmasked.safetensors: what transformers' T5 of tests/golden/t5 makes of prompts without an attention mask, as FLUX's and Stable Diffusion
3's pipelines run it. input_ids [n, 9], states [n, 9, width], in fp32; the prompts are in SeveralTextEncodersTest. Made with transformers 5.24.0:

    python tests/resources/io/harmonica/cli/make_unmasked.py
"""
import pathlib

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import T5EncoderModel

HERE = pathlib.Path(__file__).parent
T5 = HERE.parents[3] / "golden/t5"
PROMPTS = ["A small red lantern", "  two CATS  "]
tokenizer = Tokenizer.from_file(str(T5 / "tokenizer/tokenizer.json"))
tokenizer.enable_padding(length=9, pad_id=0)
tokenizer.enable_truncation(9)
ids = torch.tensor([e.ids for e in tokenizer.encode_batch(PROMPTS)])
model = T5EncoderModel.from_pretrained(T5).eval()
with torch.no_grad():
    states = model(input_ids=ids).last_hidden_state
save_file({"input_ids": ids, "states": states.contiguous()}, HERE / "unmasked.safetensors")
