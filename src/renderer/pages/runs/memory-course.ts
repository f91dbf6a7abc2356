// The course of the engine's memory, kept for the runs this window has watched: samples by run, thinned when there are many.

export interface Sample {
  /** Seconds since the run was first seen here. */
  seconds: number;
  bytes: number;
}

const mostSamples = 400;
const mostRuns = 20;

interface Course {
  since: number;
  samples: Sample[];
}

const courses = new Map<string, Course>();

/** Every second sample, but always the highest of each pair: peaks are what the chart is for. */
const thinned = (samples: readonly Sample[]): Sample[] =>
  samples.flatMap((sample, at) => {
    const next = samples[at + 1];
    if (at % 2 === 1) return [];
    return [next && next.bytes > sample.bytes ? next : sample];
  });

export function addSample(run: string, bytes: number, now = Date.now()): readonly Sample[] {
  let course = courses.get(run);
  if (!course) {
    course = { since: now, samples: [] };
    courses.set(run, course);
    const [oldest] = courses.keys();
    if (courses.size > mostRuns && oldest) courses.delete(oldest);
  }
  const samples = [...course.samples, { seconds: (now - course.since) / 1000, bytes }];
  course.samples = samples.length > mostSamples ? thinned(samples) : samples;
  return course.samples;
}

export const courseOf = (run: string): readonly Sample[] => courses.get(run)?.samples ?? [];
