import torch
from diffusers import DiTTransformer2DModel
torch.manual_seed(7)
m = DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, sample_size=4, patch_size=2, num_embeds_ada_norm=3, norm_type="ada_norm_zero", activation_fn="gelu-approximate", attention_bias=True, norm_elementwise_affine=False)
for p in m.parameters():
    torch.nn.init.normal_(p, std=0.15) if p.dim() > 1 else torch.nn.init.normal_(p, std=0.05)
m.save_pretrained("dit")
