// One parameter of a method, as its card describes it: a dial, a segmented control, a select or a number; its help one hover away.
import { NumberInput, Select, Tooltip } from '@mantine/core';
import { IconRotate2 } from '@tabler/icons-react';
import type { Parameter, ParameterValue } from '../../../contract/words/method';
import type { Suggestion } from '../../../contract/words/recipe';
import { short } from '../../format';
import { Dial } from '../../parts/dial';
import { Segmented } from '../../parts/segmented';
import { TextAction } from '../../parts/text-action';
import { dialOf } from './dial-of';
import look from './steps.module.css';

interface FieldProps {
  parameter: Parameter;
  value: ParameterValue;
  onChange(value: ParameterValue): void;
  /** *6 layers overridden* */
  note?: string | null;
  /** What suits the model and the dataset. */
  suggestion?: Suggestion | null;
}

export function ParameterField({ parameter, value, onChange, note, suggestion }: FieldProps) {
  const label = (
    <>
      <FieldLabel parameter={parameter} value={value} onChange={onChange} />
      {suggestion ? <Suggested suggestion={suggestion} value={value} onChange={onChange} /> : null}
    </>
  );
  const scale = dialOf(parameter);
  if (scale && parameter.kind !== 'switch') {
    const named = scale.stops.find((stop) => stop.value === value && scale.kind === 'stops')?.label;
    // A stop that is a word (per channel) bears no unit.
    const unit = named && !/^[\d.]/.test(named) ? '' : (parameter.unit ?? '');
    const printed = named ?? short(Number(value));
    return (
      <div className={look.field}>
        <Dial
          label={label}
          scale={scale}
          value={Number(value)}
          standard={Number(parameter.default)}
          valueText={`${printed} ${unit}`.trim()}
          suggested={suggestion?.value ?? null}
          onChange={onChange}
        >
          <b>{printed}</b> {unit}
        </Dial>
        {note ? <span className={look.fieldNote}>{note}</span> : null}
      </div>
    );
  }
  return (
    <div className={look.field}>
      <div className={look.fieldHead}>
        {label}
        <span className={look.fieldHelp}>{note ?? aside(parameter, value) ?? ''}</span>
      </div>
      <Control parameter={parameter} value={value} onChange={onChange} />
    </div>
  );
}

interface SuggestedProps {
  suggestion: Suggestion;
  value: ParameterValue;
  onChange(value: ParameterValue): void;
}

/** *Suggested: 4*, on the label's line so that nothing moves when it comes; why, one hover away. A click takes it. */
function Suggested({ suggestion, value, onChange }: SuggestedProps) {
  if (value === suggestion.value) return <span className={look.suggested}>as suggested</span>;
  return (
    <Tooltip label={`${short(suggestion.value)} suits this model and dataset: ${suggestion.why}`}>
      <span className={look.suggested}>
        <TextAction onClick={() => onChange(suggestion.value)}>Suggested: {short(suggestion.value)}</TextAction>
      </span>
    </Tooltip>
  );
}

/** The label with its help, and a mark that takes the parameter back where it differs from the default. */
function FieldLabel({ parameter, value, onChange }: Omit<FieldProps, 'note' | 'suggestion'>) {
  const help = [parameter.help, chosenHelp(parameter, value)].filter(Boolean).join(' ');
  return (
    <span className={look.fieldLabel}>
      <Tooltip label={help} position="top-start">
        <button type="button" className={look.term}>
          {parameter.label}
        </button>
      </Tooltip>
      {value !== parameter.default ? (
        <Tooltip label={`Reset to ${labelOf(parameter, parameter.default)}`}>
          <button
            type="button"
            className={look.reset}
            aria-label={`Reset ${parameter.label} to ${labelOf(parameter, parameter.default)}`}
            onClick={() => onChange(parameter.default)}
          >
            <IconRotate2 size={14} aria-hidden="true" />
          </button>
        </Tooltip>
      ) : null}
    </span>
  );
}

function labelOf(parameter: Parameter, value: ParameterValue): string {
  if (parameter.kind === 'switch') return value ? parameter.on : parameter.off;
  if (parameter.kind === 'choice')
    return parameter.choices.find((each) => each.value === value)?.label ?? String(value);
  return `${value}${parameter.unit ? ` ${parameter.unit}` : ''}`;
}

/** What of the help fits on the label's line: the chosen value's, else the unit. */
const longestAside = 40;
function aside(parameter: Parameter, value: ParameterValue): string | undefined {
  const help = chosenHelp(parameter, value);
  return help && help.length <= longestAside ? help : parameter.kind === 'number' ? undefined : parameter.unit;
}

const chosenHelp = (parameter: Parameter, value: ParameterValue): string | undefined =>
  parameter.kind === 'choice' ? parameter.choices.find((each) => each.value === value)?.help : undefined;

/** About what a form's width holds beside each other. */
const mostLetters = 46;
const fitsSegments = (labels: readonly string[]): boolean =>
  labels.reduce((letters, label) => letters + label.length + 3, 0) <= mostLetters;

function Control({ parameter, value, onChange }: FieldProps) {
  switch (parameter.kind) {
    case 'choice':
      if (parameter.choices.length === 1) return <span className={look.only}>{parameter.choices[0]?.label}</span>;
      if (parameter.choices.length > 5 || !fitsSegments(parameter.choices.map(({ label }) => label)))
        return (
          <Select
            aria-label={parameter.label}
            data={parameter.choices.map((each) => ({ value: String(each.value), label: each.label }))}
            value={String(value)}
            onChange={(text) => {
              const chosen = parameter.choices.find((each) => String(each.value) === text);
              if (chosen) onChange(chosen.value);
            }}
          />
        );
      return (
        <Segmented
          label={parameter.label}
          segments={parameter.choices.map((each) => ({ value: each.value, label: each.label }))}
          value={value as string | number}
          precision={parameter.precision ?? false}
          onChange={onChange}
        />
      );
    case 'number':
      return (
        <NumberInput
          aria-label={parameter.label}
          value={Number(value)}
          min={parameter.min}
          max={parameter.max}
          step={parameter.step ?? 1}
          suffix={parameter.unit ? ` ${parameter.unit}` : ''}
          allowDecimal={!parameter.integer}
          clampBehavior="blur"
          className={look.typed ?? ''}
          onChange={(next) =>
            typeof next === 'number' && next >= parameter.min && next <= parameter.max && onChange(next)
          }
        />
      );
    case 'switch':
      if (!fitsSegments([parameter.on, parameter.off]))
        return (
          <Select
            aria-label={parameter.label}
            data={[
              { value: 'on', label: parameter.on },
              { value: 'off', label: parameter.off },
            ]}
            value={value ? 'on' : 'off'}
            onChange={(text) => text && onChange(text === 'on')}
          />
        );
      return (
        <Segmented
          label={parameter.label}
          segments={[
            { value: 'on', label: parameter.on },
            { value: 'off', label: parameter.off },
          ]}
          value={value ? 'on' : 'off'}
          onChange={(next) => onChange(next === 'on')}
        />
      );
    default:
      return parameter satisfies never;
  }
}
