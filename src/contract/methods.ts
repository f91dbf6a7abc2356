// Methods: the cards.
import { z } from 'zod';
import { procedure } from './procedure';
import { methodCard } from './words/method';

export const methods = { list: procedure.output(z.array(methodCard)) };
