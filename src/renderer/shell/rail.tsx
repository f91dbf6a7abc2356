// The rail: the pages in the order of the work. The open page is a white tab with the tool point.
import { Link, useLocation } from 'wouter';
import { useAddress } from '../address';
import { allPages, type Page } from '../pages/pages';
import { useActiveRuns } from '../queries';
import { Logo } from './logo';
import look from './rail.module.css';

export function Rail() {
  const active = useActiveRuns().length;
  return (
    <nav className={look.rail} aria-label="Pages">
      <div className={look.logo}>
        <Logo />
      </div>
      {allPages
        .filter((page) => !page.foot)
        .map((page) => (
          <Tab key={page.id} page={page} badge={page.id === 'runs' ? active : 0} />
        ))}
      <span className={look.grow} />
      {allPages
        .filter((page) => page.foot)
        .map((page) => (
          <Tab key={page.id} page={page} badge={0} small />
        ))}
    </nav>
  );
}

function Tab({ page, badge, small }: { page: Page; badge: number; small?: boolean }) {
  const { to } = useAddress();
  const [path] = useLocation();
  const on = path === page.path;
  const Icon = page.icon;
  return (
    <Link
      href={to(page.path)}
      className={look.tab}
      aria-current={on ? 'page' : undefined}
      aria-label={badge > 0 ? `${page.title}, ${badge} running or waiting` : page.title}
      data-small={small || undefined}
    >
      <Icon size={20} aria-hidden="true" />
      {small ? null : <span>{page.title}</span>}
      {badge > 0 ? <span className={look.badge}>{badge}</span> : null}
    </Link>
  );
}
