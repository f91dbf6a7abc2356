// The graph → ModelProto, field by field in the order of their numbers, so that the same model is always the same bytes.
import {
  type Attribute,
  type Dim,
  dataTypes,
  type Graph,
  type LocalFunction,
  type Model,
  type Node,
  type SparseTensor,
  type Tensor,
  type Value,
  type ValueType,
} from '../../graph/graph';
import { Encoder } from './encoder';
import {
  attributeFields,
  attributeTypes,
  dataLocations,
  entryFields,
  functionFields,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  sparseFields,
  tensorFields,
  typeFields,
  valueFields,
} from './fields';

/** Where in a data file a tensor lies. */
export interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Says which tensors lie outside the model file; null keeps a tensor inside. */
export type Placement = (tensor: Tensor) => Place | null;

export const allInside: Placement = () => null;

export function encodeModel(model: Model, place: Placement): Encoder {
  const out = new Encoder()
    .int(modelFields.irVersion, model.irVersion)
    .optionalText(modelFields.producerName, model.producerName)
    .optionalText(modelFields.producerVersion, model.producerVersion)
    .optionalText(modelFields.domain, model.domain);
  if (model.modelVersion !== undefined) out.int(modelFields.modelVersion, model.modelVersion);
  out.optionalText(modelFields.doc, model.doc);
  out.message(modelFields.graph, encodeGraph(model.graph, place));
  opsets(out, modelFields.opsetImport, model.opsets);
  entries(out, modelFields.metadata, model.metadata);
  for (const fn of model.functions) out.message(modelFields.functions, encodeFunction(fn, place));
  return out.raw(model.unknown);
}

function opsets(out: Encoder, field: number, versions: ReadonlyMap<string, number>): void {
  for (const [domain, version] of versions) {
    out.message(field, new Encoder().text(opsetFields.domain, domain).int(opsetFields.version, version));
  }
}

function entries(out: Encoder, field: number, pairs: ReadonlyMap<string, string> | undefined): void {
  for (const [key, value] of pairs ?? []) out.message(field, entry(key, value));
}

function entry(key: string, value: string): Encoder {
  return new Encoder().text(entryFields.key, key).text(entryFields.value, value);
}

function encodeFunction(fn: LocalFunction, place: Placement): Encoder {
  const out = new Encoder().text(functionFields.name, fn.name);
  for (const input of fn.inputs) out.text(functionFields.input, input);
  for (const output of fn.outputs) out.text(functionFields.output, output);
  for (const attribute of fn.attributes) out.text(functionFields.attribute, attribute);
  for (const node of fn.nodes) out.message(functionFields.node, encodeNode(node, place));
  out.optionalText(functionFields.doc, fn.doc);
  opsets(out, functionFields.opsetImport, fn.opsets);
  out.text(functionFields.domain, fn.domain);
  for (const [name, value] of fn.defaults) {
    out.message(functionFields.attributeDefault, encodeAttribute(name, value, place));
  }
  for (const value of fn.values.values()) out.message(functionFields.valueInfo, encodeValue(value));
  out.optionalText(functionFields.overload, fn.overload);
  entries(out, functionFields.metadata, fn.metadata);
  return out.raw(fn.unknown);
}

function encodeGraph(graph: Graph, place: Placement): Encoder {
  const out = new Encoder();
  for (const node of graph.nodes) out.message(graphFields.node, encodeNode(node, place));
  out.text(graphFields.name, graph.name);
  for (const tensor of graph.initializers.values()) out.message(graphFields.initializer, encodeTensor(tensor, place));
  out.optionalText(graphFields.doc, graph.doc);
  for (const value of graph.inputs) out.message(graphFields.input, encodeValue(value));
  for (const value of graph.outputs) out.message(graphFields.output, encodeValue(value));
  for (const value of graph.values.values()) out.message(graphFields.valueInfo, encodeValue(value));
  for (const sparse of graph.sparse.values()) out.message(graphFields.sparseInitializer, encodeSparse(sparse, place));
  entries(out, graphFields.metadata, graph.metadata);
  return out.raw(graph.unknown);
}

function encodeNode(node: Node, place: Placement): Encoder {
  const out = new Encoder();
  for (const input of node.inputs) out.text(nodeFields.input, input);
  for (const output of node.outputs) out.text(nodeFields.output, output);
  out.text(nodeFields.name, node.name).text(nodeFields.op, node.op);
  for (const [name, value] of node.attributes) out.message(nodeFields.attribute, encodeAttribute(name, value, place));
  out.optionalText(nodeFields.doc, node.doc);
  if (node.domain !== '') out.text(nodeFields.domain, node.domain);
  out.optionalText(nodeFields.overload, node.overload);
  entries(out, nodeFields.metadata, node.metadata);
  return out.raw(node.unknown);
}

function encodeAttribute(name: string, attribute: Attribute, place: Placement): Encoder {
  // The body as it came has the name in it already.
  if (attribute.type === 'encoded') return new Encoder().raw([attribute.value]);
  const out = new Encoder().text(attributeFields.name, name);
  switch (attribute.type) {
    case 'float':
      out.float(attributeFields.float, attribute.value);
      break;
    case 'int':
      out.int(attributeFields.int, attribute.value);
      break;
    case 'string':
      out.bytes(attributeFields.string, attribute.value);
      break;
    case 'tensor':
      out.message(attributeFields.tensor, encodeTensor(attribute.value, place));
      break;
    case 'graph':
      out.message(attributeFields.graph, encodeGraph(attribute.value, place));
      break;
    case 'sparse':
      out.message(attributeFields.sparse, encodeSparse(attribute.value, place));
      break;
    case 'floats':
      for (const value of attribute.value) out.float(attributeFields.floats, value);
      break;
    case 'ints':
      for (const value of attribute.value) out.int(attributeFields.ints, value);
      break;
    case 'strings':
      for (const value of attribute.value) out.bytes(attributeFields.strings, value);
      break;
    case 'tensors':
      for (const value of attribute.value) out.message(attributeFields.tensors, encodeTensor(value, place));
      break;
    case 'graphs':
      for (const value of attribute.value) out.message(attributeFields.graphs, encodeGraph(value, place));
      break;
    case 'reference':
      break;
    default:
      attribute satisfies never;
  }
  out.optionalText(attributeFields.doc, attribute.doc);
  out.int(attributeFields.type, attribute.type === 'reference' ? attribute.as : attributeTypes[attribute.type]);
  if (attribute.type === 'reference') out.text(attributeFields.reference, attribute.value);
  return out.raw(attribute.unknown);
}

export function encodeTensor(tensor: Tensor, place: Placement): Encoder {
  const out = new Encoder();
  for (const dim of tensor.dims) out.int(tensorFields.dims, dim);
  out.int(tensorFields.dataType, dataTypes[tensor.dtype].onnx);
  if (tensor.data.kind === 'strings') for (const text of tensor.data.strings) out.bytes(tensorFields.stringData, text);
  out.text(tensorFields.name, tensor.name);
  const outside = place(tensor);
  if (tensor.data.kind !== 'strings' && !outside) out.payload(tensorFields.rawData, tensor);
  out.optionalText(tensorFields.doc, tensor.doc);
  if (outside) {
    out.message(tensorFields.externalData, entry('location', outside.location));
    out.message(tensorFields.externalData, entry('offset', String(outside.offset)));
    out.message(tensorFields.externalData, entry('length', String(outside.length)));
    out.int(tensorFields.dataLocation, dataLocations.external);
  }
  entries(out, tensorFields.metadata, tensor.metadata);
  return out.raw(tensor.unknown);
}

function encodeSparse(sparse: SparseTensor, place: Placement): Encoder {
  const out = new Encoder()
    .message(sparseFields.values, encodeTensor(sparse.values, place))
    .message(sparseFields.indices, encodeTensor(sparse.indices, place));
  for (const dim of sparse.dims) out.int(sparseFields.dims, dim);
  return out.raw(sparse.unknown);
}

function encodeValue(value: Value): Encoder {
  const out = new Encoder().text(valueFields.name, value.name);
  if (value.type) out.message(valueFields.type, encodeType(value.type));
  out.optionalText(valueFields.doc, value.doc);
  entries(out, valueFields.metadata, value.metadata);
  return out.raw(value.unknown);
}

function encodeType(type: ValueType): Encoder {
  if (type.kind === 'other') return new Encoder().raw([type.encoded]);
  const tensor = new Encoder();
  if (type.dtype !== null) tensor.int(typeFields.elementType, dataTypes[type.dtype].onnx);
  if (type.shape !== null) {
    const shape = new Encoder();
    // Denotations belong to the shape they came with: a pass that changes the rank has dropped their meaning.
    const kept = type.dimUnknown?.length === type.shape.length ? type.dimUnknown : [];
    type.shape.forEach((dim, axis) => {
      shape.message(typeFields.dim, encodeDim(dim).raw(kept[axis]));
    });
    tensor.message(typeFields.shape, shape);
  }
  return new Encoder().message(typeFields.tensor, tensor).raw(type.unknown);
}

function encodeDim(dim: Dim): Encoder {
  if (dim === null) return new Encoder();
  return typeof dim === 'number'
    ? new Encoder().int(typeFields.dimValue, dim)
    : new Encoder().text(typeFields.dimParam, dim);
}
