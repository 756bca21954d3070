import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { ErrorCard } from '../components/error-card.tsx'

interface Props {
  /** A new value (the path) tries again. */
  resetKey: string
  title: string
  reload: string
  children: ReactNode
}

/**
 * Keeps the frame standing when a page breaks, e.g. when its chunk is gone since zinc was updated.
 */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override componentDidUpdate(before: Props) {
    if (before.resetKey !== this.props.resetKey && this.state.error !== null) this.setState({ error: null })
  }

  override render() {
    if (this.state.error === null) return this.props.children
    return (
      <div style={{ display: 'grid', gap: 16, justifyItems: 'start' }}>
        <h1 style={{ margin: 0, fontSize: '1.375rem' }}>{this.props.title}</h1>
        <ErrorCard error={this.state.error} />
        <Button onClick={() => location.reload()}>{this.props.reload}</Button>
      </div>
    )
  }
}
