// Sample: a small model with its dataset that ships with Lathe, to try things on.
import { z } from 'zod';

export const sampleNames = ['shapes', 'tales'] as const;
export const sampleName = z.enum(sampleNames);
export type SampleName = z.infer<typeof sampleName>;
