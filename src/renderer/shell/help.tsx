// All keys, on one page: `?` opens it.
import { Modal } from '@mantine/core';
import { useState } from 'react';
import { useShortcut, useShortcuts } from '../keys';
import { KeyCap } from '../parts/key-cap';
import look from './help.module.css';

export function Help() {
  const [open, setOpen] = useState(false);
  const shortcuts = useShortcuts();
  useShortcut('?', 'All keys', () => setOpen(true));
  const unique = [...new Map(shortcuts.map((shortcut) => [shortcut.keys, shortcut])).values()];
  return (
    <Modal opened={open} onClose={() => setOpen(false)} title="Keys" size={560}>
      <dl className={look.keys}>
        {unique.map((shortcut) => (
          <div key={shortcut.keys}>
            <dt>{shortcut.label}</dt>
            <dd>
              <KeyCap keys={shortcut.keys} />
            </dd>
          </div>
        ))}
      </dl>
      <p className={look.note}>Single keys act outside text fields only. They can be switched off in Settings.</p>
    </Modal>
  );
}
