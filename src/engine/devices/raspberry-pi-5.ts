// Raspberry Pi 5, 8 GB: BCM2712, four Cortex-A76 at 2.4 GHz, no accelerator a model can use.
import { defineDevice } from './device';

const GiB = 2 ** 30;

export const raspberryPi5 = defineDevice({
  id: 'raspberry-pi-5',
  title: 'Raspberry Pi 5',
  about: '8 GB · 4×A76',
  memoryBytes: 8 * GiB,
  // What is left for a model beside Raspberry Pi OS with its desktop; see the figure below.
  usableBytes: 7 * GiB,
  runtimes: ['onnxruntime'],
  figures: [
    {
      name: 'Memory',
      value: 8 * GiB,
      unit: 'B',
      source: 'Raspberry Pi, Pi 5 product brief (sold with 2 to 16 GB)',
      certainty: 'published',
    },
    {
      name: 'Kept for the system',
      value: GiB,
      unit: 'B',
      source: 'Rule of thumb for Raspberry Pi OS with its desktop',
      certainty: 'unsure',
    },
    { name: 'Cores', value: 4, unit: '', source: 'BCM2712: four Cortex-A76', certainty: 'published' },
    { name: 'Clock', value: 2.4e9, unit: 'Hz', source: 'BCM2712', certainty: 'published' },
    {
      name: 'Memory bandwidth, ceiling',
      value: 17e9,
      unit: 'B/s',
      source: '32 bit LPDDR4X-4267; hellomatik.com',
      certainty: 'published',
    },
    {
      name: 'Memory bandwidth, sustained',
      value: 11.4e9,
      unit: 'B/s',
      source: 'hellomatik.com research note',
      certainty: 'published',
    },
    {
      name: 'memcpy, lowest',
      value: 5.2e9,
      unit: 'B/s',
      source: 'ThomasKaiser/sbc-bench, Results.md',
      certainty: 'published',
    },
    {
      name: 'memcpy, highest',
      value: 6.0e9,
      unit: 'B/s',
      source: 'ThomasKaiser/sbc-bench, Results.md',
      certainty: 'published',
    },
    {
      name: 'memset, lowest',
      value: 10e9,
      unit: 'B/s',
      source: 'ThomasKaiser/sbc-bench, Results.md',
      certainty: 'published',
    },
    {
      name: 'memset, highest',
      value: 14e9,
      unit: 'B/s',
      source: 'ThomasKaiser/sbc-bench, Results.md',
      certainty: 'published',
    },
    {
      name: 'fp32 peak',
      value: 0.15e12,
      unit: 'FLOP/s',
      source: '4 cores × 2 × 128 bit fused multiply-add × 2.4 GHz',
      certainty: 'derived',
    },
    {
      name: 'fp16 peak',
      value: 0.31e12,
      unit: 'FLOP/s',
      source: 'Twice the fp32 peak (ARMv8.2 half precision)',
      certainty: 'derived',
    },
    {
      name: 'int8 peak',
      value: 0.61e12,
      unit: 'OP/s',
      source: 'Four times the fp32 peak (SDOT)',
      certainty: 'derived',
    },
    {
      name: 'Llama-3.2-3B q4 decode, lowest',
      value: 4.6,
      unit: 'tok/s',
      source: 'geerlingguy/ai-benchmarks (Ollama)',
      certainty: 'published',
    },
    {
      name: 'Llama-3.2-3B q4 decode, highest',
      value: 4.9,
      unit: 'tok/s',
      source: 'geerlingguy/ai-benchmarks (Ollama)',
      certainty: 'published',
    },
    {
      name: 'Power under load, lowest',
      value: 12,
      unit: 'W',
      source: 'geerlingguy/ai-benchmarks',
      certainty: 'published',
    },
    {
      name: 'Power under load, highest',
      value: 14,
      unit: 'W',
      source: 'geerlingguy/ai-benchmarks',
      certainty: 'published',
    },
    { name: 'ONNX Runtime, measured point', value: null, unit: 'ms', source: 'None was found', certainty: 'unsure' },
  ],
});
