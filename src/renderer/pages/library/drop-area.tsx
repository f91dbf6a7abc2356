// The drop sentence beside the picture that teaches the cut. With models present and a low window it shrinks to one line.
import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconFolderOpen } from '@tabler/icons-react';
import { type ChangeEvent, useRef } from 'react';
import { readChosen } from '../../dropped';
import { type OpenActions, useOpening } from '../../opening';
import { TextAction } from '../../parts/text-action';
import { useHostInfo, useSamples } from '../../queries';
import { openFolderBrowser } from '../../shell/folder-browser-state';
import look from './library.module.css';
import { sampleWords } from './samples';
import { TeachingCut } from './teaching-cut';

export function DropArea({ small }: { small: boolean }) {
  const opening = useOpening();
  const dialogs = useHostInfo().data?.dialogs ?? false;
  const actions = (
    <div className={look.actions}>
      {dialogs ? <DialogButtons opening={opening} small={small} /> : <UploadButtons opening={opening} small={small} />}
      <SampleMenu opening={opening} small={small} />
    </div>
  );
  if (small)
    return (
      <section className={look.strip} aria-label="Open a model">
        <span>
          <b>Drop a model anywhere in this window.</b> It stays on this machine, and it is never changed.
        </span>
        {actions}
      </section>
    );
  return (
    <div className={look.hall}>
      <section className={look.drop} aria-label="Open a model">
        <div className={look.invite}>
          <p className={look.sentence}>
            Drop a model
            <br />
            anywhere in this window.
          </p>
          <p className={look.about}>
            An .onnx file, with the data files beside it if it has any. It stays on this machine, and it is never
            changed.
          </p>
          {actions}
          {dialogs ? null : (
            <p className={look.path}>
              <TextAction onClick={() => openFolderBrowser()}>Open a path on this machine</TextAction>; nothing is
              copied.
            </p>
          )}
        </div>
        <TeachingCut />
      </section>
    </div>
  );
}

/** Each sample with what it is good for. */
function SampleMenu({ opening, small }: ButtonsProps) {
  const samples = useSamples().data ?? [];
  return (
    <Menu width={280}>
      <Menu.Target>
        <Button size={small ? 'xs' : 'sm'} rightSection={<IconChevronDown size={14} />}>
          Try a sample
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {samples.map((name) => (
          <Menu.Item key={name} onClick={() => void opening.sample(name)}>
            <b>{sampleWords[name].title}</b>
            <div className={look.menuHelp}>{sampleWords[name].about}</div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface ButtonsProps {
  opening: OpenActions;
  small: boolean;
}

/** On the desktop: the system's own dialogs give a real path. */
function DialogButtons({ opening, small }: ButtonsProps) {
  return (
    <Menu>
      <Menu.Target>
        <Button
          size={small ? 'xs' : 'sm'}
          variant="filled"
          leftSection={<IconFolderOpen size={16} />}
          rightSection={<IconChevronDown size={14} />}
        >
          Choose a file or folder
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void opening.pick('model')}>A file</Menu.Item>
        <Menu.Item onClick={() => void opening.pick('folder')}>A folder</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** In the browser: files are uploaded; a path on the host's machine is opened where it is. */
function UploadButtons({ opening, small }: ButtonsProps) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = readChosen(event.currentTarget.files ?? []);
    event.currentTarget.value = '';
    if (chosen) void opening.dropped(chosen);
  };
  return (
    <>
      <input ref={files} type="file" multiple hidden onChange={take} aria-label="Model files" />
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        onChange={take}
        aria-label="Model folder"
        {...{ webkitdirectory: '' }}
      />
      <Menu>
        <Menu.Target>
          <Button
            size={small ? 'xs' : 'sm'}
            variant="filled"
            leftSection={<IconFolderOpen size={16} />}
            rightSection={<IconChevronDown size={14} />}
          >
            Choose a file or folder
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => files.current?.click()}>Files, uploaded</Menu.Item>
          <Menu.Item onClick={() => folder.current?.click()}>A folder, uploaded</Menu.Item>
          <Menu.Item onClick={() => openFolderBrowser()}>A path on this machine, nothing copied</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
