//! Who each miner was when it was last seen, so that another device at its address is noticed after a restart too.

use crate::{Store, StoreError, within};
use model::{MinerId, MinerIdentity, Now};
use sqlx::{Row, query};

impl Store {
    /// Who this miner was; `None` if it was never seen.
    pub async fn known_identity(&self, miner: &MinerId) -> Result<Option<MinerIdentity>, StoreError> {
        within("reading a miner's identity", async {
            query("SELECT mac, model, firmware, serial, api FROM miner_identities WHERE miner = ?")
                .bind(&miner.0)
                .fetch_optional(self.readers())
                .await?
                .map(|row| {
                    Ok(MinerIdentity {
                        mac: row.try_get("mac")?,
                        model: row.try_get("model")?,
                        firmware: row.try_get("firmware")?,
                        serial: row.try_get("serial")?,
                        api: row.try_get("api")?,
                    })
                })
                .transpose()
        })
        .await
    }

    /// Remembers who this miner is, in place of who it was.
    pub async fn remember_identity(
        &self,
        miner: &MinerId,
        identity: &MinerIdentity,
        at: Now,
    ) -> Result<(), StoreError> {
        within("remembering a miner's identity", async {
            query(
                "INSERT INTO miner_identities (miner, mac, model, firmware, serial, api, at_utc_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (miner) DO UPDATE SET mac = excluded.mac, \
                 model = excluded.model, firmware = excluded.firmware, serial = excluded.serial, \
                 api = excluded.api, at_utc_ms = excluded.at_utc_ms",
            )
            .bind(&miner.0)
            .bind(identity.mac.as_deref())
            .bind(identity.model.as_deref())
            .bind(identity.firmware.as_deref())
            .bind(identity.serial.as_deref())
            .bind(&identity.api)
            .bind(at.utc.0)
            .execute(self.writer())
            .await?;
            Ok(())
        })
        .await
    }
}
