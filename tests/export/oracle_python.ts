import { formatSafetensors, parseSafetensors } from "../../lib/support/safetensors.ts";

/** The Python of `ORACLE_PYTHON`, if it can import all of `modules`; else null. */
export async function findOraclePython(...modules: string[]): Promise<string | null> {
  const python = Deno.env.get("ORACLE_PYTHON");
  if (!python) return null;
  const { success } = await new Deno.Command(python, {
    args: ["-c", `import ${modules.join(", ")}`],
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? python : null;
}

/**
 * Runs a Python program on pictures, given as `images` in a safetensors-like way on standard input; returns
 * scores and maps.
 */
export async function runOracle(
  python: string,
  program: string,
  args: string[],
  pictures: Float32Array,
  shape: number[],
): Promise<{ scores: Float32Array; maps: Float32Array }> {
  const child = new Deno.Command(python, {
    args: ["-c", READER + program + WRITER, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(formatSafetensors([["images", { shape, data: pictures }]]));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { tensors } = parseSafetensors(stdout, "what Python wrote");
  return {
    scores: tensors.get("scores")!.data as Float32Array,
    maps: tensors.get("maps")!.data as Float32Array,
  };
}

// the format by hand, so that numpy is all that is needed
const READER = `
import json, struct, sys
import numpy
data = sys.stdin.buffer.read()
start = 8 + struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:start])
images = numpy.frombuffer(data[start:], numpy.float32).reshape(header["images"]["shape"]).copy()
`;
const WRITER = `
parts, header, end = [], {}, 0
for name, values in (("scores", scores), ("maps", maps)):
    part = numpy.ascontiguousarray(values, numpy.float32).tobytes()
    header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [end, end + len(part)]}
    parts.append(part)
    end += len(part)
text = json.dumps(header).encode()
sys.stdout.buffer.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
`;
