// Catches what a page throws while drawing: a card in its place, the shell stays.
import { Component, type ReactNode } from 'react';
import { Card } from '../parts/card';

export class PageGuard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <Card
        tone="bad"
        title="This page stopped."
        mend={{ label: 'Draw it again', act: () => this.setState({ failed: false }) }}
      >
        It is a fault of ours. Your models, runs and history are untouched.
      </Card>
    );
  }
}
