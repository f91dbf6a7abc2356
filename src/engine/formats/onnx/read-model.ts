// ModelProto and FunctionProto → the model.
import { refuse } from '../../../contract/words/refusal';
import type { Attribute, Graph, LocalFunction, Model, Node, Value } from '../../graph/graph';
import { functionFields, modelFields, opsetFields } from './fields';
import { limits } from './limits';
import { Message, type Reading } from './message';
import { domainOf, readAttribute, readGraph, readNode } from './read-graph';
import { readEntry } from './read-tensor';
import { readValue } from './read-value';

export function readModel(reading: Reading): Model {
  const message = new Message(reading, 'ModelProto', 0, reading.source.size, 0);
  let irVersion = 0;
  let graph: Graph | undefined;
  let graphMessage: Message | undefined;
  const texts: { producerName?: string; producerVersion?: string; domain?: string; doc?: string } = {};
  let modelVersion: bigint | undefined;
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions: LocalFunction[] = [];
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    switch (message.field) {
      case modelFields.irVersion:
        irVersion = message.safeInt();
        checkIrVersion(reading, irVersion);
        break;
      case modelFields.producerName:
        texts.producerName = message.text();
        break;
      case modelFields.producerVersion:
        texts.producerVersion = message.text();
        break;
      case modelFields.domain:
        texts.domain = message.text();
        break;
      case modelFields.modelVersion:
        modelVersion = message.int();
        break;
      case modelFields.doc:
        texts.doc = message.text();
        break;
      case modelFields.graph:
        if (graphMessage) message.damaged('there is a second graph');
        graphMessage = message.message('GraphProto');
        graph = readGraph(graphMessage);
        break;
      case modelFields.opsetImport:
        readOpset(message.message('OperatorSetIdProto'), opsets);
        break;
      case modelFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      case modelFields.functions:
        if (functions.length >= limits.functions) {
          refuse('unsupported', `${reading.source.name} has more than ${limits.functions} local functions.`);
        }
        functions.push(readFunction(message.message('FunctionProto')));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  if (!graph) refuse('bad-model', `${reading.source.name} holds no graph.`);
  // Before IR 3 a model named no operator sets; they count as the first.
  if (opsets.size === 0 && irVersion < 3) opsets.set('', 1);
  return {
    irVersion,
    ...texts,
    ...(modelVersion === undefined ? {} : { modelVersion }),
    opsets,
    metadata,
    functions,
    graph,
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

function checkIrVersion(reading: Reading, version: number): void {
  if (version >= 0 && version <= limits.irVersion) return;
  const { name } = reading.source;
  refuse(
    'unsupported',
    `${name} is written in version ${version} of the ONNX format. This build reads up to ${limits.irVersion}.`,
    'Export the model again with opset 21.',
  );
}

function readOpset(message: Message, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  while (message.next()) {
    if (message.field === opsetFields.domain) domain = domainOf(message.name());
    else if (message.field === opsetFields.version) version = message.safeInt();
  }
  const { name } = message.reading.source;
  if (domain === '' && version > limits.opset) {
    refuse(
      'unsupported',
      `${name} asks for operator set ${version}. This build knows up to ${limits.opset}.`,
      'Export the model again with opset 21.',
    );
  }
  const before = opsets.get(domain);
  if (before !== undefined && before !== version) {
    refuse(
      'bad-model',
      `${name} asks for two versions of the operator set ${domain || 'ai.onnx'}: ${before} and ${version}.`,
    );
  }
  opsets.set(domain, version);
}

function readFunction(message: Message): LocalFunction {
  const texts: { overload?: string; doc?: string } = {};
  let name = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const defaults = new Map<string, Attribute>();
  const nodes: Node[] = [];
  const opsets = new Map<string, number>();
  const values = new Map<string, Value>();
  const metadata = new Map<string, string>();
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    switch (message.field) {
      case functionFields.name:
        name = message.name();
        break;
      case functionFields.domain:
        domain = domainOf(message.name());
        break;
      case functionFields.overload:
        texts.overload = message.name();
        break;
      case functionFields.doc:
        texts.doc = message.text();
        break;
      case functionFields.input:
        inputs.push(message.name());
        break;
      case functionFields.output:
        outputs.push(message.name());
        break;
      case functionFields.attribute:
        attributes.push(message.name());
        break;
      case functionFields.attributeDefault:
        defaults.set(...readAttribute(message.message('AttributeProto')));
        break;
      case functionFields.node:
        nodes.push(readNode(message.message('NodeProto')));
        break;
      case functionFields.opsetImport:
        readOpset(message.message('OperatorSetIdProto'), opsets);
        break;
      case functionFields.valueInfo: {
        const value = readValue(message.message('ValueInfoProto'));
        values.set(value.name, value);
        break;
      }
      case functionFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  return {
    name,
    domain,
    ...texts,
    inputs,
    outputs,
    attributes,
    defaults,
    nodes,
    opsets,
    values,
    ...(metadata.size === 0 ? {} : { metadata }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}
