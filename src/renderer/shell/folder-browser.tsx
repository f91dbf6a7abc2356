// Open a path on this machine: the host's folders, for the browser, where no dialog can give a real path. Copies nothing.
import { Button, Modal, TextInput } from '@mantine/core';
import { IconArrowUp, IconFile, IconFolder } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { orpc, refusalOf } from '../api';
import { bytes } from '../format';
import { useOpening } from '../opening';
import { RefusalCard } from '../parts/card';
import { remembered } from '../remembered';
import look from './folder-browser.module.css';
import { closeFolderBrowser, useFolderBrowser } from './folder-browser-state';

export function FolderBrowser() {
  const wanted = useFolderBrowser();
  const opening = useOpening();
  const [path, setPath] = useState<string | undefined>(() => remembered.get('folder') ?? undefined);
  const [typed, setTyped] = useState('');
  const { data, error, isPending } = useQuery(
    orpc.host.browse.queryOptions({ input: { path }, enabled: wanted !== null, placeholderData: (before) => before }),
  );
  useEffect(() => {
    if (data) setTyped(data.path);
  }, [data]);

  const open = (target: string) => {
    if (data) remembered.set('folder', data.path);
    closeFolderBrowser();
    void opening.path(target, wanted === 'dataset' ? { as: 'dataset' } : undefined);
  };

  return (
    <Modal
      opened={wanted !== null}
      onClose={closeFolderBrowser}
      title={wanted === 'dataset' ? 'Open a dataset on this machine' : 'Open a path on this machine'}
      size={640}
    >
      <form
        className={look.bar}
        onSubmit={(event) => {
          event.preventDefault();
          if (data && typed === data.path) open(typed);
          else setPath(typed);
        }}
      >
        <Button
          type="button"
          aria-label="Parent folder"
          disabled={!data?.parent}
          onClick={() => setPath(data?.parent ?? undefined)}
        >
          <IconArrowUp size={16} />
        </Button>
        <TextInput
          className={look.path}
          aria-label="Path"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-autofocus
        />
        <Button type="submit" variant="filled">
          {data && typed === data.path ? 'Open this folder' : 'Go'}
        </Button>
      </form>
      {error ? <RefusalCard refusal={refusalOf(error)} /> : null}
      <ul className={look.list} aria-busy={isPending}>
        {data?.entries.map((entry) => (
          <li key={entry.path}>
            <button
              type="button"
              className={look.entry}
              data-fits={entry.fits || undefined}
              onClick={() => (entry.kind === 'folder' ? setPath(entry.path) : open(entry.path))}
            >
              {entry.kind === 'folder' ? (
                <IconFolder size={16} aria-hidden="true" />
              ) : (
                <IconFile size={16} aria-hidden="true" />
              )}
              <span className={look.name}>{entry.name}</span>
              {entry.kind === 'file' ? <span className={look.size}>{bytes(entry.bytes)}</span> : null}
            </button>
          </li>
        ))}
      </ul>
      <p className={look.note}>Nothing is copied: Lathe reads the files where they are, and never changes them.</p>
    </Modal>
  );
}
