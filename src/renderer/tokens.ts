// Every colour of the workbench, once: name, light, dark. Components use them as `var(--l-<name>)` and never a hex value.

type Pair = readonly [light: string, dark: string];

export const tokens = {
  shell: ['#E9EBE6', '#0D1110'],
  surface: ['#FBFBF8', '#141918'],
  raised: ['#FFFFFF', '#1A201F'],
  sunken: ['#F2F3EE', '#101413'],
  hair: ['#E7E9E3', '#202726'],
  line: ['#D8DCD4', '#29312F'],
  strong: ['#B9C0B7', '#45504D'],
  ctl: ['#8A948E', '#66716D'],
  ink: ['#17201D', '#E9EDEA'],
  ink2: ['#46524D', '#B1BBB7'],
  ink3: ['#58635E', '#8F9A96'],
  faint: ['#8A948E', '#66716D'],
  accent: ['#0F6A5B', '#62C4B0'],
  'accent-fill': ['#0F6A5B', '#1C7C6C'],
  'accent-hover': ['#0B574A', '#23907E'],
  'accent-soft': ['#DCEBE5', '#15302B'],
  'accent-line': ['#86B8AA', '#2F6F63'],
  'on-accent': ['#FFFFFF', '#FFFFFF'],
  good: ['#2B6E2F', '#82C785'],
  'good-soft': ['#E0EFDC', '#17291A'],
  warn: ['#845500', '#E6B85C'],
  'warn-soft': ['#FAEFCF', '#30270F'],
  bad: ['#AE241D', '#F28379'],
  'bad-soft': ['#F9E2DE', '#381A18'],
  fp32: ['#6C777C', '#8D989D'],
  'fp32-soft': ['#E6E9EA', '#242B2D'],
  'fp32-text': ['#525D62', '#B3BCC0'],
  fp16: ['#B1881F', '#E2C26A'],
  'fp16-soft': ['#F7EDD2', '#332B14'],
  'fp16-text': ['#785A08', '#E8CC7F'],
  int8: ['#AC5E28', '#D98850'],
  'int8-soft': ['#F5E3D6', '#382416'],
  'int8-text': ['#8A4513', '#E8A172'],
  int4: ['#8B3C70', '#C878AC'],
  'int4-soft': ['#F0DEE9', '#36202F'],
  'int4-text': ['#7A2F61', '#DC98C4'],
  int2: ['#3B4DA6', '#8496F2'],
  'int2-soft': ['#E0E4F4', '#212849'],
  'int2-text': ['#34459A', '#A3B1F7'],
  'on-p': ['#FFFFFF', '#101413'],
  'on-fp16': ['#17201D', '#101413'],
  s0: ['#EDEEE9', '#222927'],
  s1: ['#F2D9CF', '#45302B'],
  s2: ['#E6AC9B', '#7A3F36'],
  s3: ['#D0705C', '#B65243'],
  s4: ['#A62E29', '#F0735E'],
  'on-s3': ['#17201D', '#FFFFFF'],
  'on-s4': ['#FFFFFF', '#1A0A07'],
  dev1: ['#0F6A5B', '#4FB3A0'],
  dev2: ['#2F5F98', '#7FB0E6'],
  dev3: ['#8A6A10', '#DDB850'],
  dev4: ['#7C5AA0', '#B594DC'],
  shadow: [
    '0 1px 2px rgba(23,32,29,.06), 0 12px 32px rgba(23,32,29,.16)',
    '0 0 0 1px #2F3836, 0 16px 40px rgba(0,0,0,.6)',
  ],
} as const satisfies Record<string, Pair>;

export type Token = keyof typeof tokens;

/** The tokens of one scheme as CSS custom properties. */
export function tokenVariables(scheme: 'light' | 'dark'): Record<string, string> {
  const side = scheme === 'light' ? 0 : 1;
  return Object.fromEntries(Object.entries(tokens).map(([name, pair]) => [`--l-${name}`, pair[side]]));
}
