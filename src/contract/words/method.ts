// Method: one compression technique. Its card is the source of the form, the validation, the CLI help and the columns.
import { z } from 'zod';

const parameterBase = {
  id: z.string(),
  label: z.string(),
  unit: z.string().optional(),
  help: z.string(),
  /** Shown only when every named parameter has one of the listed values. */
  when: z.record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()]))).optional(),
};

export const parameter = z.discriminatedUnion('kind', [
  z.object({
    ...parameterBase,
    kind: z.literal('choice'),
    default: z.union([z.number(), z.string()]),
    choices: z.array(
      z.object({ value: z.union([z.number(), z.string()]), label: z.string(), help: z.string().optional() }),
    ),
    /** The choices are precisions: drawn in their colours. */
    precision: z.boolean().optional(),
  }),
  z.object({
    ...parameterBase,
    kind: z.literal('number'),
    default: z.number(),
    min: z.number(),
    max: z.number(),
    step: z.number().optional(),
    integer: z.boolean().optional(),
    logarithmic: z.boolean().optional(),
  }),
  z.object({ ...parameterBase, kind: z.literal('switch'), default: z.boolean(), on: z.string(), off: z.string() }),
]);
export type Parameter = z.infer<typeof parameter>;
export type ParameterValue = number | string | boolean;

export const methodFamilies = ['quantize', 'precondition', 'prune', 'factorise', 'adapt', 'train'] as const;

export const methodCard = z.object({
  id: z.string(),
  title: z.string(),
  family: z.enum(methodFamilies),
  help: z.string(),
  needs: z.array(z.enum(['weights', 'activations', 'gradients', 'data'])),
  params: z.array(parameter),
  /** Layer kinds (operators) it takes, for the generated feature table. */
  ops: z.array(z.string()),
});
export type MethodCard = z.infer<typeof methodCard>;
