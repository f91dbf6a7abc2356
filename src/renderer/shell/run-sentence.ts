// What is said at the end of a run, in a notification.
import type { NotificationData } from '@mantine/notifications';
import type { RunRow } from '../../contract/words/run';
import { bytes, duration } from '../format';
import { qualityText } from '../measures';

export function finishedSentence(run: RunRow): NotificationData {
  const took = run.startedAt && run.finishedAt ? (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000 : null;
  switch (run.state) {
    case 'done': {
      const facts = [
        run.bytes === null ? null : bytes(run.bytes),
        run.metric !== null && run.value !== null ? qualityText(run.metric, run.value) : null,
      ].filter(Boolean);
      return {
        title: `Run ${run.number} finished${took === null ? '' : ` in ${duration(took)}`}`,
        message: facts.length > 0 ? `${facts.join(', ')}.` : run.model,
        autoClose: 8000,
      };
    }
    case 'cancelled':
      return { title: `Run ${run.number} was cancelled`, message: 'Nothing was left behind.', autoClose: 6000 };
    case 'interrupted':
      return {
        title: `Run ${run.number} was interrupted`,
        message: run.error?.sentence ?? 'The process that ran it is gone.',
        autoClose: false,
        'data-tone': 'warn',
      };
    default:
      return {
        title: `Run ${run.number} stopped`,
        message: run.error?.sentence ?? 'The engine stopped. Your model is untouched.',
        autoClose: false,
        'data-tone': 'bad',
      };
  }
}
