// The open model: its cut, name and facts; a click chooses another.
import { Popover, TextInput } from '@mantine/core';
import { IconSelector } from '@tabler/icons-react';
import { useState } from 'react';
import type { LibraryModel } from '../../contract/words/model';
import { useAddress } from '../address';
import { Cut } from '../cut/cut';
import { cutOfModel, stockOf } from '../cut/layers';
import { bytes, compact, plural } from '../format';
import { formatName } from '../model-words';
import { EmptyState } from '../parts/empty-state';
import { useMakerRun, useModels } from '../queries';
import look from './model-switch.module.css';

/** *ONNX · opset 17 · 11.2 M parameters · 21 layers* */
function factsOf(model: LibraryModel): string {
  const { summary } = model;
  return [
    formatName(summary.format),
    summary.opset ? `opset ${summary.opset}` : null,
    `${compact(summary.parameters)} parameters`,
    plural(model.layers.length, 'layer'),
  ]
    .filter(Boolean)
    .join(' · ');
}

export function ModelSwitch({ model }: { model: LibraryModel | null }) {
  const { set } = useAddress();
  const [open, setOpen] = useState(false);
  const [filter, setFilter] = useState('');
  const models = useModels().data ?? [];
  const maker = useMakerRun(model);
  const parent = models.find((each) => each.id === maker?.modelId);
  const found = models.filter((each) => each.name.toLowerCase().includes(filter.trim().toLowerCase()));

  return (
    <Popover opened={open} onChange={setOpen} width={420} position="bottom-start" offset={4} trapFocus>
      <Popover.Target>
        <button type="button" className={look.model} aria-haspopup="dialog" onClick={() => setOpen((now) => !now)}>
          {model ? (
            <>
              <Cut layers={cutOfModel(model.layers)} size="bar" stock={parent ? stockOf(parent.layers) : undefined} />
              <span className={look.words}>
                <span className={look.name}>
                  {model.name}
                  <IconSelector size={14} aria-hidden="true" />
                </span>
                <span className={look.facts}>
                  {maker && parent ? `Run ${maker.number} · child of ${parent.name} · ` : ''}
                  {factsOf(model)}
                </span>
              </span>
            </>
          ) : (
            <span className={look.name}>
              Choose a model
              <IconSelector size={14} aria-hidden="true" />
            </span>
          )}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0}>
        <div className={look.filter}>
          <TextInput
            aria-label="Filter models"
            placeholder="Filter"
            size="xs"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
            data-autofocus
          />
        </div>
        <ul className={look.list}>
          {found.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                className={look.choice}
                aria-current={each.id === model?.id || undefined}
                onClick={() => {
                  setOpen(false);
                  set({ model: each.id });
                }}
              >
                <Cut layers={cutOfModel(each.layers)} size="row" />
                <span className={look.choiceName}>{each.name}</span>
                <span className={look.size}>{bytes(each.summary.bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
        {found.length === 0 ? (
          <EmptyState title={models.length === 0 ? 'No models yet.' : 'No model of this name.'} />
        ) : null}
      </Popover.Dropdown>
    </Popover>
  );
}
