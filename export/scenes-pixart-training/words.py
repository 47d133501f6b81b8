"""The tokenizer of scenes-pixart: every word of the captions is a token, in the form of T5's tokenizer.json.

    python words.py FOLDER     # writes tokenizer.json and tokenizer_config.json

As T5's: a Unigram over words with U+2581 before them, pad 0, </s> 1 (after every text), <unk> 2; whatever is no word
of the grammar becomes <unk>, a comma after a word too.
"""

import json
import sys
from pathlib import Path

from scenes import BACKGROUNDS, COLOURS, COUNTS, PLACES, RELATIONS, SHAPES

TOKENS = 24  # of a prompt, the end and padding included; the longest caption has 22
SPECIAL = ["<pad>", "</s>", "<unk>"]
_SAYINGS = [saying for _, _, ways in RELATIONS.values() for saying in ways]
_SAYINGS += [saying for ways in PLACES.values() for saying in ways] + [
    "on and background",
    "a an small large",
]
_WORDS = [*COLOURS, *SHAPES, *SHAPES.values(), *BACKGROUNDS, *COUNTS.values(), *" ".join(_SAYINGS).split()]
WORDS = list(dict.fromkeys(_WORDS))
IDS = {word: len(SPECIAL) + i for i, word in enumerate(WORDS)}


def encode(caption):
    """The same ids as the tokenizer gives, without it: of a caption of the grammar, not padded."""
    return [IDS.get(word, 2) for word in caption.split()] + [1]


def tokenizer():
    vocabulary = [[token, 0.0] for token in SPECIAL] + [["\u2581" + word, -4.0] for word in WORDS]
    flags = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
    text, end = {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}
    pair = [text, end, {"Sequence": {"id": "B", "type_id": 0}}, end]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": t, **flags, "special": True} for i, t in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [text, end],
            "pair": pair,
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 2, "vocab": vocabulary, "byte_fallback": False},
    }


def write(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "tokenizer_class": "T5TokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "extra_ids": 0,
        "additional_special_tokens": [],
        "model_max_length": TOKENS,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(), indent=1, ensure_ascii=False) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
