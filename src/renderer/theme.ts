// The Mantine theme: our ramps, type and spacing, and the tokens of both schemes as CSS variables.
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';
import look from './theme.module.css';
import { tokenVariables } from './tokens';

const enamel: MantineColorsTuple = [
  '#EDF5F2',
  '#DCEBE5',
  '#BBD8CE',
  '#86B8AA',
  '#559685',
  '#2F7F70',
  '#1C7C6C',
  '#0F6A5B',
  '#0B574A',
  '#083F36',
];
const gray: MantineColorsTuple = [
  '#FBFBF8',
  '#F2F3EE',
  '#E9EBE6',
  '#D8DCD4',
  '#B9C0B7',
  '#8A948E',
  '#58635E',
  '#46524D',
  '#2A3430',
  '#17201D',
];
const dark: MantineColorsTuple = [
  '#E9EDEA',
  '#B1BBB7',
  '#8F9A96',
  '#66716D',
  '#45504D',
  '#29312F',
  '#1A201F',
  '#141918',
  '#101413',
  '#0D1110',
];

export const theme = createTheme({
  colors: { enamel, gray, dark },
  primaryColor: 'enamel',
  primaryShade: { light: 7, dark: 6 },
  black: '#17201D',
  white: '#FFFFFF',
  autoContrast: false,
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: "'Lathe Space', 'Archivo Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Spline Sans Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '15px', xl: '21px' },
  lineHeights: { xs: '14px', sm: '16px', md: '18px', lg: '23px', xl: '26px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '28px' },
  radius: { xs: '1px', sm: '2px', md: '3px', lg: '4px', xl: '5px' },
  defaultRadius: 'md',
  shadows: { md: 'var(--l-shadow)', xl: 'var(--l-shadow)' },
  components: {
    Button: { defaultProps: { size: 'xs', variant: 'default' }, classNames: { root: look.button, section: look.icon } },
    ActionIcon: { defaultProps: { size: 24, variant: 'subtle' }, classNames: { root: look.action } },
    Paper: { defaultProps: { radius: 'lg', withBorder: true, shadow: undefined } },
    Tooltip: {
      defaultProps: { openDelay: 350, withArrow: false, events: { hover: true, focus: true, touch: false } },
      classNames: { tooltip: look.tooltip },
    },
    Table: { defaultProps: { verticalSpacing: 0, horizontalSpacing: 8 } },
    InputWrapper: { classNames: { label: look.label, error: look.error, description: look.description } },
    Input: { defaultProps: { size: 'sm' }, classNames: { wrapper: look.field, input: look.input } },
    TextInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' }, classNames: { control: look.stepper } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right', allowDeselect: false } },
    Textarea: { defaultProps: { size: 'sm' } },
    Combobox: { classNames: { dropdown: look.popover, option: look.option } },
    Switch: { defaultProps: { size: 'xs' }, classNames: { track: look.track, label: look.choice } },
    Checkbox: { defaultProps: { size: 'xs' }, classNames: { label: look.choice } },
    Menu: {
      defaultProps: { position: 'bottom-start', offset: 4, transitionProps: { duration: 120 } },
      classNames: { dropdown: look.popover, item: look.option, label: look.group },
    },
    Popover: { defaultProps: { transitionProps: { duration: 120 } }, classNames: { dropdown: look.popover } },
    Modal: {
      defaultProps: {
        transitionProps: { duration: 120, transition: 'fade' },
        overlayProps: { backgroundOpacity: 0.32, blur: 0 },
      },
      classNames: { content: look.dialog, header: look.dialogHead, title: look.dialogTitle, body: look.dialogBody },
    },
    Drawer: { defaultProps: { transitionProps: { duration: 120 } } },
    Notification: {
      defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } },
      classNames: { root: look.note, title: look.noteTitle, description: look.noteText },
    },
  },
});

const maps = {
  '--mantine-color-body': 'var(--l-shell)',
  '--mantine-color-text': 'var(--l-ink)',
  '--mantine-color-dimmed': 'var(--l-ink3)',
  '--mantine-color-placeholder': 'var(--l-ink3)',
  '--mantine-color-default': 'var(--l-raised)',
  '--mantine-color-default-hover': 'var(--l-sunken)',
  '--mantine-color-default-color': 'var(--l-ink)',
  '--mantine-color-default-border': 'var(--l-ctl)',
  '--mantine-color-error': 'var(--l-bad)',
  '--mantine-color-anchor': 'var(--l-accent)',
  '--mantine-primary-color-filled': 'var(--l-accent-fill)',
  '--mantine-primary-color-filled-hover': 'var(--l-accent-hover)',
  '--mantine-color-enamel-filled': 'var(--l-accent-fill)',
  '--mantine-color-enamel-filled-hover': 'var(--l-accent-hover)',
};

/** Writes every `--l-*` token for both schemes and lets Mantine's own variables follow them. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...tokenVariables('light'), ...maps },
  dark: { ...tokenVariables('dark'), ...maps },
});
