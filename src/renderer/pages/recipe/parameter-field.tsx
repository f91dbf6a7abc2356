// One parameter of a method, as its card describes it: a segmented control, a select, a dial or a number.
import { NumberInput, Select, Tooltip } from '@mantine/core';
import { IconRotate2 } from '@tabler/icons-react';
import type { Parameter, ParameterValue } from '../../../contract/words/method';
import { Dial } from '../../parts/dial';
import type { Scale } from '../../parts/dial-scale';
import { Segmented } from '../../parts/segmented';
import look from './recipe.module.css';

interface FieldProps {
  parameter: Parameter;
  value: ParameterValue;
  onChange(value: ParameterValue): void;
  /** *6 layers overridden* */
  note?: string | null;
}

/** A choice among growing sizes is a dial; its last stop may be a word (per channel). */
const isScale = (parameter: Parameter): boolean =>
  parameter.kind === 'choice' &&
  !parameter.precision &&
  parameter.choices.length > 4 &&
  parameter.choices.every((each) => typeof each.value === 'number');

export function ParameterField({ parameter, value, onChange, note }: FieldProps) {
  const help = shortHelp(chosenHelp(parameter, value)) ?? shortHelp(parameter.help) ?? '';
  if (isScale(parameter) && parameter.kind === 'choice') {
    const stops = parameter.choices.map((each) => ({ value: Number(each.value), label: each.label }));
    const scale: Scale = { kind: 'stops', stops };
    const words = `${stops.find((stop) => stop.value === value)?.label ?? value}${parameter.unit ? ` ${parameter.unit}` : ''}`;
    return (
      <div className={look.field}>
        <Dial
          label={parameter.label}
          scale={scale}
          value={Number(value)}
          standard={Number(parameter.default)}
          valueText={words}
          onChange={onChange}
        >
          <b>{stops.find((stop) => stop.value === value)?.label ?? value}</b> {parameter.unit ?? ''}
        </Dial>
      </div>
    );
  }
  return (
    <div className={look.field}>
      <div className={look.fieldHead}>
        <span>
          <Tooltip label={[parameter.help, chosenHelp(parameter, value)].filter(Boolean).join(' ')}>
            <span className={look.term}>{parameter.label}</span>
          </Tooltip>
          {value !== parameter.default ? (
            <button
              type="button"
              className={look.reset}
              aria-label={`Reset ${parameter.label}`}
              onClick={() => onChange(parameter.default)}
            >
              <IconRotate2 size={12} aria-hidden="true" />
            </button>
          ) : null}
        </span>
        <span className={look.fieldHelp}>{note ?? help}</span>
      </div>
      <Control parameter={parameter} value={value} onChange={onChange} />
    </div>
  );
}

/** One line beside the label; longer help is one hover away. */
const shortHelp = (help: string | undefined): string | undefined => (help && help.length <= 44 ? help : undefined);

function chosenHelp(parameter: Parameter, value: ParameterValue): string | undefined {
  return parameter.kind === 'choice' ? parameter.choices.find((each) => each.value === value)?.help : undefined;
}

function Control({ parameter, value, onChange }: FieldProps) {
  switch (parameter.kind) {
    case 'choice':
      if (parameter.choices.length === 1) return <span className={look.only}>{parameter.choices[0]?.label}</span>;
      if (parameter.choices.length > 5)
        return (
          <Select
            aria-label={parameter.label}
            data={parameter.choices.map((each) => ({ value: String(each.value), label: each.label }))}
            value={String(value)}
            allowDeselect={false}
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
          allowDecimal={!parameter.integer}
          onChange={(next) => typeof next === 'number' && onChange(next)}
        />
      );
    case 'switch':
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
