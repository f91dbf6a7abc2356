// The context bar: which model, on which data, for which device, and what is known of it. The only place where a model is chosen.
import { IconSearch } from '@tabler/icons-react';
import { useLocation } from 'wouter';
import { allPages } from '../pages/pages';
import { KeyCap } from '../parts/key-cap';
import { useOpenModel } from '../queries';
import { DatasetChip, DeviceChip } from './chips';
import look from './context-bar.module.css';
import { ModelSwitch } from './model-switch';
import { openPalette } from './palette-state';
import { Readout } from './readout';

export function ContextBar() {
  const [path] = useLocation();
  const page = allPages.find((each) => each.path === path);
  const model = useOpenModel();
  const shown = page?.ofModel ? model : null;
  return (
    <header className={look.bar}>
      {shown ? (
        <>
          <ModelSwitch model={shown} />
          <DatasetChip />
          <DeviceChip />
          <span className={look.grow} />
          <Readout model={shown} />
        </>
      ) : (
        <>
          <span className={look.title}>{page?.title ?? 'Lathe'}</span>
          {page?.ofModel ? <ModelSwitch model={null} /> : null}
          <span className={look.grow} />
        </>
      )}
      <button type="button" className={look.search} data-wide={shown ? undefined : true} onClick={openPalette}>
        <IconSearch size={14} aria-hidden="true" />
        {shown ? <span className="sr">Find anything</span> : <span>Find a model, a run, a command</span>}
        <KeyCap keys="mod+k" />
      </button>
    </header>
  );
}
