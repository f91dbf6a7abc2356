// A graph as compact text: for golden files, for error reports and for reading a pass's work with one's own eyes.
import {
  type Attribute,
  type DataType,
  type Dim,
  elementCount,
  type Graph,
  type Model,
  type Node,
  storedBytes,
  type Tensor,
  type Value,
} from './graph';
import { numbersOf } from './tensor';

/** Tensors up to this many elements show their values. */
const shownValues = 8;

/**
 * One line per value and node, subgraphs indented below their owner:
 * ```
 * ir 10, opset 21
 * tiny-mlp(x: float32[batch, 64]) → y: float32[batch, 10]
 *   fc1.weight: float32[64, 96], 24576 bytes
 *   /fc1/MatMul: h1 = MatMul(x, fc1.weight)
 * ```
 */
export function print(model: Model): string {
  const sets = [...model.opsets].map(([domain, version]) =>
    domain === '' ? `opset ${version}` : `${domain} ${version}`,
  );
  const lines = [[`ir ${model.irVersion}`, ...sets].join(', '), ...graphLines(model.graph)];
  for (const fn of model.functions) {
    lines.push(`function ${fn.domain || 'ai.onnx'}:${fn.name}(${fn.inputs.join(', ')}) → ${fn.outputs.join(', ')}`);
    for (const node of fn.nodes) lines.push(...indent(nodeLines(node)));
  }
  return `${lines.join('\n')}\n`;
}

function graphLines(graph: Graph): string[] {
  const inputs = graph.inputs.map(valueText).join(', ');
  const outputs = graph.outputs.map(valueText).join(', ');
  const lines = [`${graph.name}(${inputs}) → ${outputs}`];
  for (const [name, tensor] of graph.initializers) lines.push(`  ${name}: ${tensorText(tensor)}`);
  for (const [name, { values, dims }] of graph.sparse) {
    lines.push(`  ${name}: sparse ${typeText(values.dtype, dims)}, ${elementCount(values.dims)} values`);
  }
  for (const node of graph.nodes) lines.push(...indent(nodeLines(node)));
  return lines;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function nodeLines(node: Node): string[] {
  const name = node.name === '' ? '' : `${node.name}: `;
  const made = node.outputs.map(argument).join(', ');
  const op = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
  const plain: string[] = [];
  const nested: string[] = [];
  for (const [key, attribute] of node.attributes) {
    if (attribute.type === 'graph') nested.push(...indent([`${key}:`, ...indent(graphLines(attribute.value))]));
    else plain.push(`${key}=${attributeText(attribute)}`);
  }
  const attributes = plain.length === 0 ? '' : ` {${plain.join(', ')}}`;
  return [`${name}${made} = ${op}(${node.inputs.map(argument).join(', ')})${attributes}`, ...nested];
}

function argument(name: string): string {
  return name === '' ? '_' : name;
}

function valueText({ name, type }: Value): string {
  if (type === null) return name;
  if (type.kind === 'other') return `${name}: not a tensor`;
  return `${name}: ${typeText(type.dtype, type.shape)}`;
}

function typeText(dtype: DataType | null, shape: readonly Dim[] | null): string {
  return `${dtype ?? '?'}${shape === null ? '' : `[${shape.map((dim) => dim ?? '?').join(', ')}]`}`;
}

function tensorText(tensor: Tensor): string {
  const type = typeText(tensor.dtype, tensor.dims);
  const count = elementCount(tensor.dims);
  const { data } = tensor;
  if (data.kind === 'strings' && count <= shownValues) {
    return `${type} = ${data.strings.map((text) => JSON.stringify(decode(text))).join(' ')}`;
  }
  if (data.kind === 'bytes' && count <= shownValues && !tensor.dtype.startsWith('complex')) {
    return `${type} = ${[...numbersOf(tensor.dtype, count, data.bytes, tensor.name)].map(numberText).join(' ')}`;
  }
  return `${type}, ${storedBytes(tensor)} bytes`;
}

function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'float':
      return numberText(attribute.value);
    case 'int':
      return String(attribute.value);
    case 'string':
      return JSON.stringify(decode(attribute.value));
    case 'tensor':
      return tensorText(attribute.value);
    case 'floats':
      return listText(attribute.value.map(numberText));
    case 'ints':
      return listText(attribute.value.map(String));
    case 'strings':
      return listText(attribute.value.map((text) => JSON.stringify(decode(text))));
    case 'tensors':
      return listText(attribute.value.map(tensorText));
    case 'sparse':
      return `sparse ${typeText(attribute.value.values.dtype, attribute.value.dims)}`;
    case 'graph':
    case 'graphs':
      return attribute.type;
    case 'reference':
      return `@${attribute.value}`;
    case 'encoded':
      return `encoded, ${attribute.value.length} bytes`;
    default:
      return attribute satisfies never;
  }
}

function listText(items: readonly string[]): string {
  const shown = items.slice(0, 2 * shownValues);
  return `[${shown.join(', ')}${items.length > shown.length ? `, … ${items.length}` : ''}]`;
}

/** Enough digits to tell two weights apart, few enough to read; a float keeps its point where it would look like an int. */
function numberText(value: number | bigint): string {
  return typeof value === 'bigint' ? String(value) : String(Number(value.toPrecision(6)));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
