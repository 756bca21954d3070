-- Why a notification could not be sent: {channel, code, params} in place of an English sentence.
alter table notification drop column error, add column failure jsonb;
