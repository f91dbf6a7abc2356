// The pages by address, inside the shell. A page that fails takes only itself down.
import { Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { allPages } from './pages/pages';
import { EmptyState } from './parts/empty-state';
import { TextAction } from './parts/text-action';
import { PageGuard } from './shell/page-guard';
import { Shell } from './shell/shell';

export function App() {
  return (
    <Shell>
      <Switch>
        {allPages.map(({ id, path, Page }) => (
          <Route key={id} path={path}>
            <PageGuard key={id}>
              <Suspense>
                <Page />
              </Suspense>
            </PageGuard>
          </Route>
        ))}
        <Route>
          <EmptyState title="There is no such page." actions={<TextAction href="/">Go to the library</TextAction>} />
        </Route>
      </Switch>
    </Shell>
  );
}
