-- What the topics say, for comparison with the tables; gone with the connection.
CREATE TEMP TABLE announced (
    dead_letter boolean NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    id text NOT NULL,
    stream uuid NOT NULL,
    sequence bigint NOT NULL,
    replayed boolean NOT NULL,
    digest bytea NOT NULL,
    document jsonb,
    dead_letter_id bigint
);
CREATE TEMP TABLE progress (offset_id integer PRIMARY KEY, stream uuid NOT NULL, seq bigint NOT NULL, floor bigint NOT NULL);
