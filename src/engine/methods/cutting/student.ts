// The model that learns from its parent: as the steps before left it, or a smaller copy that starts from the parent's own weights.
import type { Refusal } from '../../../contract/words/refusal';
import type { Graph } from '../../graph/graph';
import { listLayers } from '../../graph/layers';
import { inferShapes } from '../../graph/shapes';
import type { Params, Subject } from '../method';
import { shallowerPlan, takenOut } from './student-depth';
import { narrowed, thinnerPlan } from './student-width';
import type { Workshop } from './workshop';

export type StudentKind = 'child' | 'thinner' | 'shallower';

export interface Student {
  readonly subject: Subject;
  /** What was made of it, in a sentence; null where nothing was. */
  readonly note: string | null;
}

const plans = new WeakMap<Graph, Map<string, Plan>>();

type Plan = { readonly refusal: Refusal } | { readonly refusal: null; make(workshop: Workshop): Promise<Made> };
type Made = { readonly graph: Graph; readonly note: string };

/** Why there is no such student of this model; null where there is. */
export function whyNoStudent(subject: Subject, params: Params): Refusal | null {
  return planOf(subject, params)?.refusal ?? null;
}

export async function studentOf(subject: Subject, params: Params, workshop: Workshop): Promise<Student> {
  const plan = planOf(subject, params);
  if (!plan || plan.refusal) return { subject, note: null };
  const { graph, note } = await plan.make(workshop);
  // Sizes that were declared of what lies between are the parent's.
  const model = { ...subject.model, graph: { ...graph, values: new Map() } };
  const shapes = await inferShapes(model);
  return { subject: { model, shapes, sites: listLayers(model, shapes) }, note };
}

/** Null where the student is the child itself. */
function planOf(subject: Subject, params: Params): Plan | null {
  const kind = params.student as StudentKind;
  if (kind === 'child') return null;
  const share = Number(kind === 'thinner' ? params.width : params.depth);
  let known = plans.get(subject.model.graph);
  if (!known) plans.set(subject.model.graph, (known = new Map()));
  const key = `${kind} ${share}`;
  const found = known.get(key) ?? (kind === 'thinner' ? thinner(subject, share) : shallower(subject, share));
  known.set(key, found);
  return found;
}

function thinner(subject: Subject, share: number): Plan {
  const plan = thinnerPlan(subject, share);
  if ('refusal' in plan) return plan;
  return { refusal: null, make: (workshop) => narrowed(subject, plan, workshop) };
}

function shallower(subject: Subject, share: number): Plan {
  const plan = shallowerPlan(subject, share);
  if ('refusal' in plan) return plan;
  return { refusal: null, make: async () => takenOut(subject.model.graph, plan) };
}
