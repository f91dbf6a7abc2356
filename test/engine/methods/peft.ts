// Reads an adapter file as PEFT's users would: the safetensors layout by hand.
export function safetensorsIn(file: Uint8Array): Map<string, { dims: number[]; data: Float32Array }> {
  const bytes = new Uint8Array(file);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  );
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          if (dtype !== 'F32') throw new Error(`${name} is ${dtype}`);
          const data = new Float32Array(bytes.slice(8 + length + from, 8 + length + to).buffer);
          return [name, { dims: shape, data }];
        },
      ),
  );
}
