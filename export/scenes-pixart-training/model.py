"""The networks of scenes-pixart, and its folder as diffusers' pipelines have it."""

import json
import math
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, PixArtTransformer2DModel
from scenes import SIZE
from torch import nn
from transformers import T5Config, T5EncoderModel
from words import IDS, TOKENS, encode, write

WIDTH, BLOCKS, PATCH, TEXT_WIDTH = 192, 6, 4, 128


class Painter(nn.Module):
    """PixArt and the text encoder that is trained with it."""

    def __init__(self):
        super().__init__()
        self.transformer = PixArtTransformer2DModel(
            num_attention_heads=WIDTH // 32,
            attention_head_dim=32,
            in_channels=3,
            out_channels=6,  # the noise, and the variance that IDDPM samples with
            num_layers=BLOCKS,
            sample_size=SIZE,
            patch_size=PATCH,
            caption_channels=TEXT_WIDTH,
            cross_attention_dim=WIDTH,
            norm_type="ada_norm_single",
            interpolation_scale=1.0,
            use_additional_conditions=None,
        )
        self.text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=3 + len(IDS),
                d_model=TEXT_WIDTH,
                d_kv=32,
                num_heads=4,
                d_ff=256,
                num_layers=2,
                feed_forward_proj="gated-gelu",
                dropout_rate=0.0,
            )
        )
        for block in self.transformer.transformer_blocks:
            table = block.scale_shift_table.data.zero_()
            table[[2, 5]] = 1 / math.sqrt(BLOCKS)  # gates
            nn.init.zeros_(block.attn2.to_out[0].weight)
        nn.init.normal_(self.transformer.adaln_single.linear.weight, std=0.02)
        nn.init.zeros_(self.transformer.adaln_single.linear.bias)
        nn.init.zeros_(self.transformer.proj_out.weight)
        nn.init.zeros_(self.transformer.scale_shift_table)

    def forward(self, x, t, ids, mask):
        """Noise and variance values [n, 6, 32, 32] of noisy pictures x at timesteps t [n], of tokens [n, TOKENS]."""
        text = self.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.transformer(
            x,
            encoder_hidden_states=text,
            encoder_attention_mask=mask,
            timestep=t,
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        ).sample

    def save_pipeline(self, folder):
        """Writes the folder of a PixArtAlphaPipeline without autoencoder, in fp16."""
        folder = Path(folder)
        self.transformer.half().save_pretrained(folder / "transformer")
        self.text_encoder.half().save_pretrained(folder / "text_encoder")
        for part in ("transformer", "text_encoder"):
            path = folder / part / "config.json"
            config = json.loads(path.read_text())
            config.pop("_name_or_path", None)  # this machine's path
            path.write_text(json.dumps(config, indent=2) + "\n")
        DPMSolverMultistepScheduler(beta_schedule="linear").save_pretrained(folder / "scheduler")
        write(folder / "tokenizer")
        config = json.loads((folder / "transformer" / "config.json").read_text())
        index = {
            "_class_name": "PixArtAlphaPipeline",
            "_diffusers_version": config["_diffusers_version"],
            "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
            "text_encoder": ["transformers", "T5EncoderModel"],
            "tokenizer": ["transformers", "T5TokenizerFast"],
            "transformer": ["diffusers", "PixArtTransformer2DModel"],
            "vae": [None, None],
        }
        (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def tokens(captions):
    """Ids and mask of captions, int64 [n, TOKENS] both, by the grammar's own words."""
    ids = torch.zeros(len(captions), TOKENS, dtype=torch.long)
    for row, caption in zip(ids, captions):
        own = encode(caption)
        row[: len(own)] = torch.tensor(own)
    return ids, (ids != 0).long()


ALPHA_BAR = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
