"""Writes unread.json beside it: names of weights that tools leave in a checkpoint (python make_unread.py).

torch 2.15, diffusers 0.35.1, transformers 5.24 and peft 0.21.2 wrote the one here.
"""

import json
import os
import tempfile

import torch
from diffusers import AutoencoderKL, PixArtTransformer2DModel
from diffusers.utils import convert_state_dict_to_kohya
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import T5Config, T5ForConditionalGeneration

here = os.path.dirname(os.path.abspath(__file__))
golden = os.path.join(here, "../../../../golden")
names = {}

# A LoRA: the model as it trains, its adapter alone in two layouts, and the remedy.
pixart = PixArtTransformer2DModel.from_pretrained(os.path.join(golden, "pixart/alpha-256-like"))
base = {name: value.clone() for name, value in pixart.state_dict().items()}
lora = get_peft_model(pixart, LoraConfig(r=2, target_modules=["to_q", "proj"], init_lora_weights=False))
adapter = get_peft_model_state_dict(lora)
names["lora_in_training"] = list(lora.base_model.model.state_dict())
names["lora_adapter"] = list(adapter)
kohya = convert_state_dict_to_kohya(
    {name.replace("base_model.model.", "transformer."): value for name, value in adapter.items()})
names["lora_kohya"] = list(kohya)
with tempfile.TemporaryDirectory() as folder:
    lora.save_pretrained(folder)
    fresh = PixArtTransformer2DModel.from_pretrained(os.path.join(golden, "pixart/alpha-256-like"))
    PeftModel.from_pretrained(fresh, folder).merge_and_unload().save_pretrained(folder)
    merged = load_file(os.path.join(folder, "diffusion_pytorch_model.safetensors"))
assert set(merged) == set(base) and not torch.equal(
    merged["transformer_blocks.0.attn1.to_q.weight"], base["transformer_blocks.0.attn1.to_q.weight"])

# Halves that are not read: what a whole model has beside them.
config = T5Config.from_pretrained(os.path.join(golden, "t5"))
whole = T5ForConditionalGeneration(config)
names["t5_whole"] = list(whole.state_dict())
names["vae"] = list(AutoencoderKL.from_pretrained(os.path.join(golden, "vae")).state_dict())

with open(os.path.join(here, "unread.json"), "w") as file:
    json.dump(names, file, indent=1)
    file.write("\n")
