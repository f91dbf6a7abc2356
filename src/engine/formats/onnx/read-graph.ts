// GraphProto, NodeProto and AttributeProto → the graph. They hold each other (If, Loop, Scan), so they are read in one file.
import type { Attribute, Graph, Node, SparseTensor, Tensor, Value } from '../../graph/graph';
import { attributeFields, attributeTypes, graphFields, nodeFields } from './fields';
import type { Message } from './message';
import { readEntry, readSparse, readTensor } from './read-tensor';
import { readValue } from './read-value';

/** `ai.onnx` is the long name of the standard domain. */
export function domainOf(name: string): string {
  return name === 'ai.onnx' ? '' : name;
}

export function readGraph(message: Message): Graph {
  let name = '';
  let doc: string | undefined;
  const nodes: Node[] = [];
  const initializers = new Map<string, Tensor>();
  const sparse = new Map<string, SparseTensor>();
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const values = new Map<string, Value>();
  const metadata = new Map<string, string>();
  const unknown: Uint8Array[] = [];
  const claim = (weight: string) => {
    if (weight === '') message.damaged('an initializer has no name');
    if (initializers.has(weight) || sparse.has(weight)) message.damaged(`there are two initializers called ${weight}`);
  };
  while (message.next()) {
    switch (message.field) {
      case graphFields.node:
        nodes.push(readNode(message.message('NodeProto')));
        break;
      case graphFields.name:
        name = message.name();
        break;
      case graphFields.initializer: {
        const tensor = readTensor(message.message('TensorProto'));
        claim(tensor.name);
        initializers.set(tensor.name, tensor);
        break;
      }
      case graphFields.sparseInitializer: {
        const tensor = readSparse(message.message('SparseTensorProto'));
        claim(tensor.values.name);
        sparse.set(tensor.values.name, tensor);
        break;
      }
      case graphFields.doc:
        doc = message.text();
        break;
      case graphFields.input:
        inputs.push(readValue(message.message('ValueInfoProto')));
        break;
      case graphFields.output:
        outputs.push(readValue(message.message('ValueInfoProto')));
        break;
      case graphFields.valueInfo: {
        const value = readValue(message.message('ValueInfoProto'));
        values.set(value.name, value);
        break;
      }
      case graphFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  return {
    name,
    nodes,
    initializers,
    sparse,
    inputs,
    outputs,
    values,
    ...(doc === undefined ? {} : { doc }),
    ...(metadata.size === 0 ? {} : { metadata }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

export function readNode(message: Message): Node {
  message.reading.budget.node();
  let name = '';
  let op = '';
  let domain = '';
  let overload: string | undefined;
  let doc: string | undefined;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const metadata = new Map<string, string>();
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    switch (message.field) {
      case nodeFields.input:
        inputs.push(message.name());
        break;
      case nodeFields.output:
        outputs.push(message.name());
        break;
      case nodeFields.name:
        name = message.name();
        break;
      case nodeFields.op:
        op = message.name();
        break;
      case nodeFields.attribute: {
        const [key, attribute] = readAttribute(message.message('AttributeProto'));
        if (attributes.has(key)) message.damaged(`a node has the attribute ${key} twice`);
        attributes.set(key, attribute);
        break;
      }
      case nodeFields.doc:
        doc = message.text();
        break;
      case nodeFields.domain:
        domain = domainOf(message.name());
        break;
      case nodeFields.overload:
        overload = message.name();
        break;
      case nodeFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  if (op === '') message.damaged(`node ${name} does not say which operator it is`);
  return {
    name,
    op,
    domain,
    inputs,
    outputs,
    attributes,
    ...(overload ? { overload } : {}),
    ...(doc === undefined ? {} : { doc }),
    ...(metadata.size === 0 ? {} : { metadata }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

/** Files before IR 3 leave the type out; then the field that is there says it. */
const typeOfField = new Map<number, number>([
  [attributeFields.float, attributeTypes.float],
  [attributeFields.int, attributeTypes.int],
  [attributeFields.string, attributeTypes.string],
  [attributeFields.tensor, attributeTypes.tensor],
  [attributeFields.graph, attributeTypes.graph],
  [attributeFields.floats, attributeTypes.floats],
  [attributeFields.ints, attributeTypes.ints],
  [attributeFields.strings, attributeTypes.strings],
  [attributeFields.tensors, attributeTypes.tensors],
  [attributeFields.graphs, attributeTypes.graphs],
  [attributeFields.sparse, attributeTypes.sparse],
]);

export function readAttribute(message: Message): readonly [name: string, attribute: Attribute] {
  let name = '';
  let doc: string | undefined;
  let type = 0;
  let guessed = 0;
  let reference = '';
  // The type usually comes last, so the value is read on a second walk.
  while (message.next()) {
    switch (message.field) {
      case attributeFields.name:
        name = message.name();
        break;
      case attributeFields.doc:
        doc = message.text();
        break;
      case attributeFields.type:
        type = message.safeInt();
        break;
      case attributeFields.reference:
        reference = message.name();
        break;
      default:
        guessed ||= typeOfField.get(message.field) ?? 0;
    }
  }
  if (name === '') message.damaged('an attribute has no name');
  const unknown: Uint8Array[] = [];
  const value = readAttributeValue(message.again(), name, type || guessed, reference, unknown);
  return [name, { ...value, ...(doc === undefined ? {} : { doc }), ...(unknown.length === 0 ? {} : { unknown }) }];
}

function readAttributeValue(
  message: Message,
  name: string,
  type: number,
  reference: string,
  unknown: Uint8Array[],
): Attribute {
  /** Calls `take` on every field that holds the value and keeps what is neither value nor head. */
  const collect = (field: number, take: () => void) => {
    while (message.next()) {
      if (message.field === field) take();
      else if (!headFields.has(message.field)) unknown.push(message.raw());
    }
  };
  const single = <T>(field: number, take: () => T): T => {
    let found: { value: T } | undefined;
    collect(field, () => {
      if (found) message.damaged(`attribute ${name} has two values`);
      found = { value: take() };
    });
    return found ? (found as { value: T }).value : message.damaged(`attribute ${name} has no value`);
  };
  const list = <T>(field: number, take: () => T): T[] => {
    const found: T[] = [];
    collect(field, () => found.push(take()));
    return found;
  };
  if (reference !== '') {
    collect(attributeFields.reference, () => undefined);
    return { type: 'reference', value: reference, as: type };
  }
  const { budget } = message.reading;
  switch (type) {
    case attributeTypes.float: {
      // A zero may be left out by the writer, here and in the next two.
      let value = 0;
      collect(attributeFields.float, () => (value = message.float()));
      return { type: 'float', value };
    }
    case attributeTypes.int: {
      let value = 0n;
      collect(attributeFields.int, () => (value = message.int()));
      return { type: 'int', value };
    }
    case attributeTypes.string: {
      let value: Uint8Array = new Uint8Array(0);
      collect(attributeFields.string, () => (value = message.bytes()));
      return { type: 'string', value };
    }
    case attributeTypes.tensor:
      return {
        type: 'tensor',
        value: single(attributeFields.tensor, () => readTensor(message.message('TensorProto'))),
      };
    case attributeTypes.graph:
      return { type: 'graph', value: single(attributeFields.graph, () => readGraph(message.message('GraphProto'))) };
    case attributeTypes.sparse:
      return {
        type: 'sparse',
        value: single(attributeFields.sparse, () => readSparse(message.message('SparseTensorProto'))),
      };
    case attributeTypes.floats: {
      const value: number[] = [];
      collect(attributeFields.floats, () =>
        message.fixed(4, (bytes) => {
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          for (let at = 0; at < bytes.byteLength; at += 4) {
            budget.attributeNumber();
            value.push(view.getFloat32(at, true));
          }
        }),
      );
      return { type: 'floats', value };
    }
    case attributeTypes.ints: {
      const value: bigint[] = [];
      collect(attributeFields.ints, () =>
        message.varints((low, high) => {
          budget.attributeNumber();
          value.push(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
        }),
      );
      return { type: 'ints', value };
    }
    case attributeTypes.strings:
      return { type: 'strings', value: list(attributeFields.strings, () => message.bytes()) };
    case attributeTypes.tensors:
      return {
        type: 'tensors',
        value: list(attributeFields.tensors, () => readTensor(message.message('TensorProto'))),
      };
    case attributeTypes.graphs:
      return { type: 'graphs', value: list(attributeFields.graphs, () => readGraph(message.message('GraphProto'))) };
    default:
      return { type: 'encoded', value: message.body() };
  }
}

const headFields: ReadonlySet<number> = new Set([
  attributeFields.name,
  attributeFields.doc,
  attributeFields.type,
  attributeFields.reference,
]);
