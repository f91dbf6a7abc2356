// The whole window takes a dropped model or dataset: a dashed accent frame shows it while something is dragged over.
import { useEffect, useState } from 'react';
import { readDrop } from '../dropped';
import { useOpening } from '../opening';
import look from './drop-anywhere.module.css';

export function DropAnywhere() {
  const [over, setOver] = useState(false);
  const { dropped } = useOpening();

  useEffect(() => {
    let depth = 0;
    const bringsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!bringsFiles(event)) return;
      event.preventDefault();
      depth++;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!bringsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (!bringsFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!bringsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      void readDrop(event.dataTransfer).then((what) => (what ? dropped(what) : undefined));
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
    };
  }, [dropped]);

  return over ? (
    <div className={look.frame}>
      <p>Drop it anywhere. It stays on this machine, and it is never changed.</p>
    </div>
  ) : null;
}
