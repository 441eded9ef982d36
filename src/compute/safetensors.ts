/** The float32 tensors of a safetensors file by name, as views into its bytes. Other types are left out. */
export function readSafetensors(file: Uint8Array): Map<string, { shape: number[]; content: Float32Array }> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, { shape: number[]; content: Float32Array }>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__' || entry.dtype !== 'F32') continue;
    const [start, end] = entry.data_offsets;
    tensors.set(name, {
      shape: entry.shape,
      content: floats(file.subarray(8 + headerBytes + start, 8 + headerBytes + end)),
    });
  }
  return tensors;
}

// ---------------------------------------------------------------------------------------------------------------------

function floats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
