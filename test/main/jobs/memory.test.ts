// Memory: what is held counts, what is mapped from a file does not, and other systems' answers are read right.
import { describe, expect, it } from 'vitest';
import { heldBytes, MemoryMeter, residentBytes, sumOfTasklist } from '../../../src/main/jobs/memory';
import { until } from '../workspace';

describe.runIf(process.platform === 'linux')('held memory', () => {
  it('grows with what is written to, and keeps its peak', async () => {
    const before = heldBytes(process.pid);
    expect(before).toBeGreaterThan(1e6);
    const meter = new MemoryMeter(() => [process.pid, undefined]);
    let block: Buffer | null = Buffer.alloc(64 << 20, 1);
    await until(() => meter.now > before + (48 << 20));
    expect(block[1]).toBe(1);
    block = null;
    meter.freeze();
    const { peak } = meter;
    expect(peak).toBeGreaterThan(before + (48 << 20));
    const more = Buffer.alloc(128 << 20, 1);
    await until(() => meter.now > peak);
    expect(more[1]).toBe(1);
    expect(meter.peak).toBe(peak);
    meter.stop();
  });

  it('of a process that is not there is nothing', () => {
    expect(heldBytes(2 ** 22 + 1)).toBe(0);
  });
});

describe('elsewhere', () => {
  it.skipIf(process.platform === 'win32')('ps tells what is resident', async () => {
    const bytes = await new Promise<number>((resolve) => residentBytes([process.pid], resolve));
    expect(bytes).toBeGreaterThan(1e6);
  });

  it('tasklist is read by process, whatever separates its thousands', () => {
    const text =
      '"node.exe","12","Console","1","10,240 K"\r\n"x.exe","13","Console","1","9 K"\r\n"node.exe","14","Console","1","1.024 K"\r\n';
    expect(sumOfTasklist(text, [12, 14])).toBe((10_240 + 1_024) * 1024);
  });
});
