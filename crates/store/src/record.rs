//! What the control loop writes down as it decides: much of it at once where there are many miners, and then in one commit.

use crate::{Store, StoreError, error::is_full, journal, law, operations, within};
use model::{MinerId, Now, Operation, journal::DecisionRecord};

/// Something that is written down.
#[derive(Debug, Clone, Copy)]
pub enum Record<'a> {
    /// A miner's law state, in place of the last.
    State {
        /// The miner.
        miner: &'a MinerId,
        /// Its state, as a text.
        json: &'a str,
        /// When it was.
        at: Now,
    },
    /// The state, and the operation that follows from it.
    Begun {
        /// The state, as a text.
        json: &'a str,
        /// The operation.
        operation: &'a Operation,
        /// When it was.
        at: Now,
    },
    /// An operation as it is now: a new one is added, a known one replaced.
    Operation(&'a Operation),
    /// A decision for the journal.
    Decision(&'a DecisionRecord),
}

impl Store {
    /// Writes these down in their order, all or none. Durable on return: only then may the commands leave.
    pub async fn record(&self, records: &[Record<'_>]) -> Result<(), StoreError> {
        within("writing down what was decided", async {
            let written = self.write_down(records).await;
            if !is_full(&written) {
                return written;
            }
            self.write_log_back().await;
            self.write_down(records).await
        })
        .await
    }

    async fn write_down(&self, records: &[Record<'_>]) -> Result<(), sqlx::Error> {
        let mut transaction = self.writer().begin().await?;
        for record in records {
            let connection = &mut *transaction;
            match *record {
                Record::State { miner, json, at } => law::upsert(connection, miner, json, at).await?,
                Record::Begun { json, operation, at } => {
                    law::upsert(&mut *connection, &operation.miner, json, at).await?;
                    operations::upsert(connection, operation).await?;
                }
                Record::Operation(operation) => operations::upsert(connection, operation).await?,
                Record::Decision(decision) => journal::insert(connection, decision).await?,
            }
        }
        transaction.commit().await
    }
}
