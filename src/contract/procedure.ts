// The one way a procedure is declared: every procedure may refuse, and a refusal is data.
import { oc } from '@orpc/contract';
import { refusal } from './words/refusal';

export const procedure = oc.errors({ REFUSED: { status: 422, data: refusal } });
