// Key cap: a key as printed on a keyboard.
import { keyCaps } from '../keys';
import look from './key-cap.module.css';

export const KeyCap = ({ keys }: { keys: string }) => <kbd className={look.key}>{keyCaps(keys).join(' ')}</kbd>;
