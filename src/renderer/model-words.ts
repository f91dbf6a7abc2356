// How a model's format and kind are said.

const names: Record<string, string> = {
  onnx: 'ONNX',
  gguf: 'GGUF',
  safetensors: 'Safetensors',
  huggingface: 'Hugging Face folder',
};

export const formatName = (format: string): string => names[format] ?? format;

const metricNames: Record<string, string> = {
  accuracy: 'Top-1',
  top5: 'Top-5',
  perplexity: 'Perplexity',
  rmse: 'RMSE',
  psnr: 'PSNR',
  agreement: 'Agreement',
};

export const metricName = (metric: string): string => metricNames[metric] ?? metric;

/** Fractions are printed as per cent. */
export const isFraction = (metric: string): boolean => ['accuracy', 'top5', 'agreement'].includes(metric);

/** Larger is better. */
export const isGain = (metric: string): boolean => metric !== 'perplexity' && metric !== 'rmse';
