// What a file may ask of the reader. Every limit stands with its reason; past one, the answer is a refusal, never a crash.
import { refuse } from '../../../contract/words/refusal';

export const limits = {
  /** Newest layout known here (`onnx.in.proto`, IR 14). A later one may give known fields another meaning. */
  irVersion: 14,
  /** Newest operator set of IR 14. Beyond it operators have attributes and meanings that nothing here has seen. */
  opset: 28,
  /** Protobuf itself stops at 100. 64 leaves room for 20 nested Ifs (three messages each); the deepest real model seen has 9. */
  depth: 64,
  /** The largest exports seen have 50,000. Five times that still opens in seconds and below 1 GB. */
  nodes: 250_000,
  /** Nodes, attributes, values, tensors, names: each costs some hundred bytes of ours against as few as 2 in the file. */
  parts: 2_000_000,
  /** Integers and floats in attributes: 32 bytes of ours against 1 in the file. Real ones come in dozens. */
  attributeNumbers: 8_000_000,
  /** Names, texts, small tensors and unknown fields, all kept in memory. Weights do not count: they stay in the file. */
  keptBytes: 256 * 2 ** 20,
  /** `int32_data` and its kin are varints and must be decoded into memory: up to 8 bytes of ours against 1 in the file. */
  decodedBytes: 2 ** 30,
  /** Names travel into tables, charts and file names. The longest real one seen has under 400 bytes. */
  nameBytes: 32 * 1024,
  /** numpy stops at 64. */
  rank: 64,
  /** 2^46 elements of 128 bits still count their bits below 2^53, where JavaScript integers are exact. */
  elements: 2 ** 46,
  /** As `onnx.checker`. */
  functions: 10_000,
  /** A real model has one or a few data files; each is opened and looked at. */
  externalFiles: 10_000,
  /** Tied weights share bytes of a data file. Past this much sharing a small file would claim to be a huge model. */
  sharing: 16,
  /** Below this a tensor is copied when the model is read: shapes, scalars and biases are asked for all the time. */
  smallTensorBytes: 4096,
} as const;

/** Counts what one file has asked for so far. */
export class Budget {
  private nodes = 0;
  private parts = 0;
  private numbers = 0;
  private kept = 0;
  private decoded = 0;
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  node(): void {
    if (++this.nodes > limits.nodes) this.over(`${limits.nodes.toLocaleString('en')} nodes`);
  }

  part(): void {
    if (++this.parts > limits.parts) this.over(`${limits.parts.toLocaleString('en')} nodes, names and attributes`);
  }

  attributeNumber(): void {
    if (++this.numbers > limits.attributeNumbers) {
      this.over(`${limits.attributeNumbers.toLocaleString('en')} numbers in attributes`);
    }
  }

  keep(bytes: number): void {
    this.kept += bytes;
    if (this.kept > limits.keptBytes) this.over('256 MiB of names, texts and small tensors');
  }

  decode(bytes: number): void {
    this.decoded += bytes;
    if (this.decoded > limits.decodedBytes) this.over('1 GiB of tensors in typed fields');
  }

  private over(what: string): never {
    refuse('unsupported', `${this.file} holds more than ${what}, which is the most this build reads.`);
  }
}
