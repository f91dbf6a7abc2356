// The palette, Ctrl/⌘ K: layers, actions, pages, models, runs and terms in one list.
import { Spotlight } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { type Action, useOfferedActions } from '../actions';
import { useAddress } from '../address';
import { bytes } from '../format';
import { allPages } from '../pages/pages';
import { KeyCap } from '../parts/key-cap';
import { useModels, useOpenModel, useRuns } from '../queries';
import { terms } from '../words';
import look from './palette.module.css';
import { paletteStore } from './palette-state';

const groups = ['Actions', 'Layers', 'Go to', 'Models', 'Runs', 'Learn'];
const perGroup = 6;

/** Every word of the query must occur; an early hit ranks higher. */
export function rank(text: string, query: string): number | null {
  const hay = text.toLowerCase();
  let score = 0;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word);
    if (at < 0) return null;
    score += at;
  }
  return score;
}

export function Palette() {
  const [query, setQuery] = useState('');
  const everything = useEverything();
  const found = useMemo(() => {
    const hits = everything.flatMap((action) => {
      const score = rank(`${action.label} ${action.detail ?? ''}`, query);
      return score === null ? [] : [{ action, score }];
    });
    hits.sort((one, other) => one.score - other.score);
    return groups
      .map((group) => ({
        group,
        actions: hits
          .filter(({ action }) => action.group === group)
          .slice(0, perGroup)
          .map(({ action }) => action),
      }))
      .filter(({ actions }) => actions.length > 0);
  }, [everything, query]);

  return (
    <Spotlight.Root
      store={paletteStore}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      clearQueryOnClose
      radius="xl"
      size={560}
      classNames={{ content: look.content, inner: look.inner }}
      transitionProps={{ duration: 0 }}
      overlayProps={{ backgroundOpacity: 0.32, blur: 0 }}
    >
      <Spotlight.Search
        placeholder="Find a model, a layer, a run, a command"
        aria-label="Find a model, a layer, a run, a command"
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        rightSection={<KeyCap keys="escape" />}
        classNames={{ input: look.search }}
      />
      <Spotlight.ActionsList className={look.list}>
        {found.map(({ group, actions }) => (
          <Spotlight.ActionsGroup key={group} label={group} className={look.group}>
            {actions.map((action) => (
              <Spotlight.Action key={action.id} onClick={action.run} className={look.action} aria-label={action.label}>
                <span className={action.group === 'Layers' ? `${look.label} mono` : look.label}>{action.label}</span>
                {action.detail ? <span className={look.detail}>{action.detail}</span> : null}
                <span className={look.grow} />
                {action.keys ? <KeyCap keys={action.keys} /> : null}
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {found.length === 0 ? <Spotlight.Empty className={look.empty}>Nothing of this name.</Spotlight.Empty> : null}
      </Spotlight.ActionsList>
      <div className={look.foot}>
        <span>↑↓ choose</span>
        <span>Enter do</span>
      </div>
    </Spotlight.Root>
  );
}

function useEverything(): readonly Action[] {
  const offered = useOfferedActions();
  const { go, set } = useAddress();
  const model = useOpenModel();
  const models = useModels().data;
  const runs = useRuns().data;
  return useMemo(
    () => [
      ...offered,
      ...(model?.layers ?? []).map((layer) => ({
        id: `layer ${layer.name}`,
        group: 'Layers',
        label: layer.name,
        detail: `${layer.op}, ${bytes(layer.bytes)}`,
        run: () => go('/inspect', { layers: [layer.name] }),
      })),
      ...allPages.map((page) => ({
        id: `page ${page.id}`,
        group: 'Go to',
        label: page.title,
        keys: `g ${page.key}`,
        run: () => go(page.path),
      })),
      ...(models ?? []).map((each) => ({
        id: `model ${each.id}`,
        group: 'Models',
        label: each.name,
        detail: bytes(each.summary.bytes),
        run: () => go('/inspect', { model: each.id }),
      })),
      ...(runs ?? []).map((run) => ({
        id: `run ${run.id}`,
        group: 'Runs',
        label: `Run ${run.number} ${run.recipe.name ?? ''}`.trim(),
        detail: run.model,
        run: () => go('/history', { run: run.id }),
      })),
      ...terms.map((term) => ({
        id: `term ${term.id}`,
        group: 'Learn',
        label: term.term,
        detail: term.sentence,
        run: () => set({}),
      })),
    ],
    [offered, model, models, runs, go, set],
  );
}
