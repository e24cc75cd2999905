//! Walks a whole filter, page by page, for the CLI and for exports. Between pages other readers and the writer go on;
//! rows that arrive meanwhile are newer than the walk and do not show up in it.

use crate::filter::{Conditions, ExchangeFilter, cursor};
use crate::tables::exchange;
use crate::{Error, Reader};
use portcullis_domain::Exchange;
use std::io::Write;
use std::ops::ControlFlow;

const PAGE: usize = 100;

impl Reader {
    /// Calls `each` for every Exchange of the filter, newest first, at most `limit` of them. Returns how many there were.
    pub fn for_each(
        &self,
        filter: &ExchangeFilter,
        limit: Option<u64>,
        mut each: impl FnMut(Exchange) -> ControlFlow<()>,
    ) -> Result<u64, Error> {
        let mut count = 0;
        let mut after: Option<String> = None;
        loop {
            let mut conditions = Conditions::of(filter);
            if let Some(after) = &after {
                conditions.after(after)?;
            }
            let page =
                self.with(|connection| Ok(exchange::full(connection, &conditions.sql, &conditions.values, PAGE)?))?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(cursor(last.at, last.id.as_str()));
            for exchange in page {
                if limit.is_some_and(|limit| count >= limit) {
                    return Ok(count);
                }
                count += 1;
                if each(exchange).is_break() {
                    return Ok(count);
                }
            }
        }
    }

    /// The Exchanges of the filter as JSON, one a line, newest first.
    pub fn write_json_lines(
        &self,
        filter: &ExchangeFilter,
        limit: Option<u64>,
        out: &mut impl Write,
    ) -> Result<u64, Error> {
        let mut failed = None;
        let count = self.for_each(filter, limit, |exchange| {
            let line = serde_json::to_writer(&mut *out, &exchange).map_err(std::io::Error::from);
            match line.and_then(|()| out.write_all(b"\n")) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match failed {
            Some(error) => Err(Error::Output(error)),
            None => Ok(count),
        }
    }
}
